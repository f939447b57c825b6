//! A chat server with a thread for each member, and some members.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::sync::Arc;

use crate::platform::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use crate::platform::sync::Mutex;
use crate::platform::thread;

const NAMES: [&str; 4] = ["ann", "bob", "cleo", "dan"];

type Members = BTreeMap<String, TcpStream>;

/// Tells everybody but the sender. A member who cannot be reached will leave anyway.
fn tell(members: &mut Members, sender: &str, line: &str) {
    for (_, stream) in members.iter_mut().filter(|(name, _)| *name != sender) {
        // In one piece, or the second would wait for the first to be acknowledged.
        let _ = stream.write_all(format!("{line}\n").as_bytes());
    }
}

/// Who is there, and how to reach them.
#[derive(Default)]
struct Room {
    members: Mutex<Members>,
}

impl Room {
    fn send(&self, sender: &str, line: &str) {
        tell(&mut self.members.lock().unwrap(), sender, line);
    }

    /// Whoever reads of a new member can be sure that the new one reads the answer.
    fn add(&self, name: &str, mut stream: TcpStream) -> io::Result<()> {
        let mut members = self.members.lock().unwrap();
        let welcome = format!("* welcome, {name}; others here: {}\n", members.len());
        stream.write_all(welcome.as_bytes())?;
        tell(&mut members, name, &format!("* {name} is here"));
        members.insert(name.into(), stream);
        Ok(())
    }

    fn remove(&self, name: &str) {
        let mut members = self.members.lock().unwrap();
        members.remove(name);
        tell(&mut members, name, &format!("* {name} has left"));
    }

    /// The life of one connection: the first line is a name, the others are for all.
    fn host(&self, stream: TcpStream) -> io::Result<()> {
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        let Some(name) = lines.next().transpose()? else {
            return Ok(());
        };
        self.add(&name, stream)?;
        for line in lines {
            self.send(&name, &format!("{name}: {}", line?));
        }
        self.remove(&name);
        Ok(())
    }
}

/// One end of a conversation.
struct Member {
    name: &'static str,
    stream: TcpStream,
    lines: io::Lines<BufReader<TcpStream>>,
}

impl Member {
    fn enter(address: SocketAddr, name: &'static str) -> io::Result<Member> {
        let stream = TcpStream::connect(address)?;
        let lines = BufReader::new(stream.try_clone()?).lines();
        let mut member = Member { name, stream, lines };
        member.say(name)?;
        member.show()?;
        Ok(member)
    }

    fn say(&mut self, line: &str) -> io::Result<()> {
        self.stream.write_all(format!("{line}\n").as_bytes())
    }

    /// Shows the next line that reaches this member.
    fn show(&mut self) -> io::Result<()> {
        let line = self.lines.next().unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))?;
        println!("{:>5} | {line}", self.name);
        Ok(())
    }
}

pub(crate) fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = thread::spawn(move || {
        let room = Arc::new(Room::default());
        let streams = listener.incoming().take(NAMES.len());
        let hosts: Vec<_> = streams
            .map(|stream| {
                let room = room.clone();
                thread::spawn(move || room.host(stream?))
            })
            .collect();
        hosts.into_iter().try_for_each(|host| host.join().unwrap())
    });

    let mut members: Vec<Member> = Vec::new();
    for name in NAMES {
        let member = Member::enter(address, name)?;
        members.iter_mut().try_for_each(Member::show)?;
        members.push(member);
        // What nobody hears yet might reach those who come later.
        if members.len() == 1 {
            continue;
        }
        for (index, line) in [(0, "hello!"), (members.len() - 1, "good to be here")] {
            members[index].say(line)?;
            let others = members.iter_mut().enumerate().filter(|(other, _)| *other != index);
            others.map(|(_, member)| member).try_for_each(Member::show)?;
        }
    }
    while let Some(member) = members.pop() {
        member.stream.shutdown(Shutdown::Write)?;
        members.iter_mut().try_for_each(Member::show)?;
    }
    server.join().unwrap()
}
