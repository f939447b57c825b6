//! Makes tests of what std's source has: the examples of its documentation, and its own tests.
//!
//! The source is that of the toolchain (`rustup component add rust-src`). None of it is kept here.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

mod examples;
mod excused;
mod suites;

fn main() {
    for path in ["build.rs", "examples.rs", "excused.rs", "suites.rs"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let std = std_folder();
    let write =
        |name, text| fs::write(out.join(name), text).expect("cargo's folder can be written");
    write("addresses.rs", suites::helper(&std, "src/net/test.rs"));
    write("common.rs", suites::helper(&std, "tests/common/mod.rs"));
    write("examples.rs", examples::all(&std));
    write("suites.rs", suites::all(&std));
}

/// The folder of std, with its source and its tests.
fn std_folder() -> PathBuf {
    let rustc = env::var_os("RUSTC").expect("cargo sets it");
    let output = Command::new(rustc).args(["--print", "sysroot"]).output().expect("rustc runs");
    let sysroot = String::from_utf8(output.stdout).expect("a path");
    Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/std")
}
