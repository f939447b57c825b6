//! What is to be started, and how.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;

use super::hosted;
use super::process::{Command, Output, Stdio};
use super::support::kind;

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

fn text(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_command_says_what_was_asked_for() {
    let mut command = Command::new("printf");
    command.arg("%s").args(["a", "b"]).env("KEY", "value").env_remove("GONE").current_dir("/");
    assert_eq!(command.get_program(), "printf");
    assert_eq!(command.get_args().collect::<Vec<_>>(), ["%s", "a", "b"]);
    assert_eq!(command.get_args().len(), 3);
    let envs: Vec<_> = command.get_envs().collect();
    let expected = [("GONE", None), ("KEY", Some("value"))];
    let expected = expected.map(|(key, value)| (OsStr::new(key), value.map(OsStr::new)));
    assert_eq!(envs, expected);
    assert_eq!(command.get_current_dir(), Some(Path::new("/")));
    let debug = format!("{:?}", Command::new("one").arg("two words"));
    assert_eq!(debug, "\"one\" \"two words\"");
}

#[test]
fn arguments_arrive_one_by_one() {
    hosted(|| {
        let mut command = Command::new("printf");
        let output = command.arg("<%s>").args(["a b", "", "c"]).output().unwrap();
        assert_eq!(text(output), "<a b><><c>");
    });
}

#[test]
fn the_environment_is_inherited_but_for_what_was_changed() {
    hosted(|| {
        let script = "echo $ONE $TWO $CARGO_PKG_NAME";
        let mut command = shell(script);
        let output = command.env("ONE", "1").envs([("TWO", "2")]).output().unwrap();
        let inherited = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
        assert_eq!(text(output).trim_end(), format!("1 2 {inherited}").trim_end());
        let output = command.env_remove("ONE").output().unwrap();
        assert_eq!(text(output).trim_end(), format!("2 {inherited}").trim_end());
        let path = std::env::var_os("PATH").unwrap_or_default();
        let output = shell(script).env_clear().env("PATH", path).env("TWO", "2").output().unwrap();
        assert_eq!(text(output), "2\n");
    });
}

#[test]
fn it_runs_in_the_directory_that_was_set() {
    hosted(|| {
        assert_eq!(text(Command::new("pwd").current_dir("/proc").output().unwrap()), "/proc\n");
    });
}

#[test]
fn a_program_that_is_not_there_is_not_found() {
    hosted(|| {
        let mut command = Command::new("no-such-program-anywhere");
        assert_eq!(kind(command.spawn()), ErrorKind::NotFound);
        assert_eq!(kind(command.status()), ErrorKind::NotFound);
        assert_eq!(kind(command.output()), ErrorKind::NotFound);
        let mut command = Command::new("true");
        assert_eq!(kind(command.current_dir("/no/such/place").status()), ErrorKind::NotFound);
    });
}

#[test]
fn what_may_not_be_executed_is_denied() {
    hosted(|| {
        assert_eq!(kind(Command::new("/etc/passwd").spawn()), ErrorKind::PermissionDenied);
        assert_eq!(kind(Command::new("tr\0ue").spawn()), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_command_can_be_used_again() {
    hosted(|| {
        let mut command = shell("test $AGAIN || echo again");
        for _ in 0..2 {
            assert_eq!(text(command.output().unwrap()), "again\n");
        }
        command.env("AGAIN", "1");
        // What `output` chose was for that call only.
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        assert!(child.stdin.is_none() && child.stdout.is_none() && child.stderr.is_some());
        assert!(child.wait().unwrap().success());
    });
}
