//! What only Unix has.
#![allow(unsafe_code)]

use std::io::{Error, ErrorKind};

use super::hosted;
use super::process::{Command, ExitStatus, id};
use super::support::kind;
use super::unix::{CommandExt, ExitStatusExt, parent_id};

#[test]
fn it_sees_the_name_that_was_set() {
    hosted(|| {
        let output =
            Command::new("cat").arg0("another").arg("/proc/self/cmdline").output().unwrap();
        assert_eq!(output.stdout, b"another\0/proc/self/cmdline\0");
    });
}

#[test]
fn it_is_in_the_group_that_was_set() {
    hosted(|| {
        let mut child = Command::new("sleep").arg("100").process_group(0).spawn().unwrap();
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        let group = stat.rsplit_once(") ").unwrap().1.split(' ').nth(2).unwrap();
        assert_eq!(group, child.id().to_string());
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
    });
}

#[test]
fn it_runs_as_whom_it_is_told() {
    hosted(|| {
        let id = |option| {
            let output = Command::new("id").arg(option).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().parse::<u32>().unwrap()
        };
        // To become oneself needs no privileges, but for the supplementary groups.
        let (user, group) = (id("-u"), id("-g"));
        if user != 0 {
            return;
        }
        let output = Command::new("id").arg("-u").uid(user).gid(group).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), user.to_string());
        let output = Command::new("id").arg("-g").gid(12).uid(34).output().unwrap();
        assert_eq!(output.stdout, b"12\n");
    });
}

#[test]
fn a_closure_runs_in_the_child_before_the_program() {
    hosted(|| {
        let mut command = Command::new("true");
        // SAFETY: the closure allocates nothing and takes no lock.
        unsafe { command.pre_exec(|| Ok(())) };
        assert!(command.status().unwrap().success());
        // SAFETY: as above.
        unsafe { command.pre_exec(|| Err(Error::from_raw_os_error(libc::EPERM))) };
        assert_eq!(kind(command.status()), ErrorKind::PermissionDenied);
        assert_eq!(kind(command.spawn()), ErrorKind::PermissionDenied);
    });
}

#[test]
fn statuses_are_those_of_the_kernel() {
    assert_eq!(ExitStatus::from_raw(0x0300).code(), Some(3));
    assert_eq!(ExitStatus::from_raw(9).signal(), Some(9));
    assert!(ExitStatus::from_raw(0x89).core_dumped());
    assert_eq!(ExitStatus::from_raw(0x137f).stopped_signal(), Some(0x13));
    assert!(ExitStatus::from_raw(0xffff).continued());
    assert_ne!(parent_id(), id());
}
