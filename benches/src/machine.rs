//! The machine: its description for the head of the tables, and pinning to a core.

use std::io;
use std::process::Command;

/// Versions are read from the lock file this binary was built with.
const LOCK_FILE: &str = include_str!("../Cargo.lock");
const NAMED_PACKAGES: [&str; 3] = ["may", "tokio", "corosensei"];

/// Pins the calling thread, and all it starts from now on, to one core.
pub fn pin_to_core(core: usize) -> io::Result<()> {
    // SAFETY: a cpu_set_t of zeros is an empty set.
    let mut cores: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is live; a core beyond its size is ignored by CPU_SET.
    unsafe { libc::CPU_SET(core, &mut cores) };
    // SAFETY: the pointer and size describe the live set, which the call only reads.
    let result = unsafe { libc::sched_setaffinity(0, size_of_val(&cores), &raw const cores) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Kernel, processor, compiler, rivals' versions and date, as Markdown list items.
pub fn description() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let versions = NAMED_PACKAGES.map(|package| format!("{package} {}", locked_version(package)));
    format!(
        "- machine: {}, {cores} cores\n- kernel: Linux {}\n- compiler: {}\n- rivals: {}\n\
         - date: {}\n",
        processor_model(),
        read_line("/proc/sys/kernel/osrelease"),
        output_of("rustc", &["--version"]),
        versions.join(", "),
        output_of("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
    )
}

fn processor_model() -> String {
    let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = information.lines().find_map(|line| line.strip_prefix("model name"));
    model.map_or_else(unknown, |text| text.trim_start_matches([' ', '\t', ':']).to_string())
}

fn locked_version(package: &str) -> &'static str {
    let name = format!("name = \"{package}\"");
    let mut lines = LOCK_FILE.lines().skip_while(|line| *line != name);
    let version = lines.nth(1).and_then(|line| line.strip_prefix("version = "));
    version.map_or("unknown", |text| text.trim_matches('"'))
}

fn read_line(path: &str) -> String {
    std::fs::read_to_string(path).map_or_else(|_| unknown(), |text| text.trim().to_string())
}

fn output_of(program: &str, arguments: &[&str]) -> String {
    match Command::new(program).args(arguments).output() {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_string()
        }
        _ => unknown(),
    }
}

fn unknown() -> String {
    "unknown".to_string()
}
