//! The machine: its description for the head of the tables, its limits, and pinning to a core.

use std::io;
use std::process::Command;

/// Versions are read from the lock file this binary was built with.
const LOCK_FILE: &str = include_str!("../Cargo.lock");
const NAMED_PACKAGES: [&str; 4] = ["may", "tokio", "smol", "corosensei"];

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

/// Lets this process open as many descriptors as it ever may; returns their number.
pub fn raise_descriptor_limit() -> io::Result<usize> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live rlimit, which the call fills.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: the pointer is to a live rlimit, which the call only reads.
    match unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } {
        0 => Ok(limit.rlim_cur as usize),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Memory that can be had without swapping.
pub fn available_bytes() -> usize {
    let information = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = information.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
    kilobytes.map_or(usize::MAX, |kilobytes: usize| kilobytes * 1024)
}

/// Kernel, processor, limits, compiler, the libraries' versions and date, as Markdown list items.
pub fn description() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let versions = NAMED_PACKAGES.map(|package| format!("{package} {}", locked_version(package)));
    format!(
        "- machine: {}, {cores} cores\n- kernel: Linux {}\n- open files: at most {}\n\
         - compiler: {}\n- libraries: {}\n- date: {}\n",
        processor_model(),
        read_line("/proc/sys/kernel/osrelease"),
        raise_descriptor_limit().map_or_else(|_| unknown(), |limit| limit.to_string()),
        output_of("rustc", &["--version"]),
        versions.join(", "),
        output_of("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
    )
}

/// Kernel, processor and date in a few words.
pub fn summary() -> String {
    let release = read_line("/proc/sys/kernel/osrelease");
    let version = release.split('-').next().unwrap_or_default();
    let date = output_of("date", &["-u", "+%Y-%m-%d"]);
    format!("{}, Linux {version}, {date}", processor_model())
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

/// What a program prints when all goes well.
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
