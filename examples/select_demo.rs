//! Three greenlets of gevent's tutorial: two wait for nothing, one works meanwhile.
//!
//! Both polls take two seconds, and so does the program: while one greenlet waits in `select`, the
//! others run.

use std::time::Instant;

use betterthreads::select::select;
use betterthreads::{Failure, sleep, spawn, try_joinall};

fn main() -> Result<(), Failure> {
    let start = Instant::now();
    let tic = move || format!("at {:.1} seconds", start.elapsed().as_secs_f64());

    let poll = move || {
        println!("Started Polling: {}", tic());
        select(&[], &[], &[], 2).expect("there is no descriptor to fail");
        println!("Ended Polling: {}", tic());
    };
    let work = move || {
        let now = tic();
        println!("Hey lets do some stuff while the greenlets poll, {now}");
        sleep(1);
    };

    try_joinall(&[spawn(poll), spawn(poll), spawn(work)])?;
    Ok(())
}
