//! No copy of this program's memory on a disk: credentials and codes are in it.

/// For this process and those that it starts. Called before anything is read.
pub fn switch_off() {
    // A limit can always be lowered.
    let _ = rlimit::setrlimit(rlimit::Resource::CORE, 0, 0);
    // Linux gives a dump to a program without looking at the limit: then it has no page of memory in it. Where there is
    // no such file there is no such dump.
    if cfg!(target_os = "linux") {
        let _ = std::fs::write("/proc/self/coredump_filter", "0");
    }
}
