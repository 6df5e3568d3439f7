use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use super::*;

/// A folder, and a file outside of it that nothing may read or write.
struct Space {
    _temporary: tempfile::TempDir,
    path: PathBuf,
    outside: PathBuf,
}

const SECRET: &str = "secret";

impl Space {
    fn new() -> Self {
        let space = tempfile::tempdir().expect("a temporary folder");
        let (path, outside) = (space.path().join("run"), space.path().join("outside"));
        fs::create_dir(&path).expect("made");
        fs::create_dir(&outside).expect("made");
        fs::write(outside.join("file"), SECRET).expect("written");
        Self { _temporary: space, path, outside }
    }

    fn open(&self) -> Directory {
        Directory::open(&self.path).expect("there")
    }

    /// Something of each kind that is no file, each by its own name.
    fn strangers(&self) -> Vec<(&'static str, Refused)> {
        symlink(self.outside.join("file"), self.path.join("link")).expect("made");
        symlink(self.outside.join("none"), self.path.join("dangling")).expect("made");
        symlink(&self.outside, self.path.join("folder link")).expect("made");
        symlink("fifo", self.path.join("inner link")).expect("made");
        let made = std::process::Command::new("mkfifo").arg(self.path.join("fifo")).status();
        assert!(made.expect("a program").success());
        drop(UnixListener::bind(self.path.join("socket")).expect("made"));
        fs::create_dir(self.path.join("folder")).expect("made");
        vec![
            ("link", Refused::Link),
            ("dangling", Refused::Link),
            ("folder link", Refused::Link),
            ("inner link", Refused::Link),
            ("fifo", Refused::Fifo),
            ("socket", Refused::Socket),
            ("folder", Refused::Folder),
        ]
    }
}

#[track_caller]
fn assert_refused<T>(result: io::Result<T>, why: Refused) {
    let error = result.map(drop).expect_err("refused");
    let found = error.get_ref().and_then(|inner| inner.downcast_ref::<Refused>());
    assert_eq!(found, Some(&why), "{error}");
}

#[test]
fn only_regular_files_are_opened_and_nothing_blocks() {
    let space = Space::new();
    let folder = space.open();
    for (name, why) in space.strangers() {
        assert_refused(folder.file(name), why);
        assert_refused(folder.read(name, 10), why);
        assert_refused(folder.writable(name), why);
        assert_refused(folder.appendable(name), why);
        assert_refused(folder.has_file(name), why);
    }
    assert_eq!(fs::read_to_string(space.outside.join("file")).expect("there"), SECRET);
    assert!(!space.outside.join("none").exists());
    fs::write(space.path.join("file"), "12345").expect("written");
    assert_eq!(folder.read("file", 5).expect("a file"), b"12345");
    assert_refused(folder.read("file", 4), Refused::TooLarge(4));
    assert_eq!(folder.read("none", 4).expect_err("nothing there").kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_folder_is_entered_only_where_it_is_one() {
    let space = Space::new();
    let folder = space.open();
    for (name, why) in space.strangers() {
        if name != "folder" {
            assert_refused(folder.folder(name), why);
            assert_refused(folder.beneath(&Path::new(name).join("file")), why);
            assert_refused(folder.made_beneath(&Path::new(name).join("file")), why);
            assert_refused(folder.remove_with_files(name), why);
        }
    }
    fs::write(space.path.join("file"), "").expect("written");
    assert_refused(folder.folder("file"), Refused::File);
    let (below, name) = folder.made_beneath(Path::new("folder/a/b/file")).expect("made");
    assert_eq!((below.path(), name.to_str()), (&*space.path.join("folder/a/b"), Some("file")));
    assert!(below.is_same(&folder.folder("folder").and_then(|it| it.folder("a")?.folder("b")).expect("there")));
    assert_eq!(fs::read_dir(&space.outside).expect("there").count(), 1);
}

#[test]
fn no_name_leads_out_of_a_folder() {
    let space = Space::new();
    fs::create_dir(space.path.join("folder")).expect("made");
    let folder = space.open();
    for name in
        ["", ".", "..", "/", "../outside", "folder/../../outside/file", "folder/file", "./folder", "folder/", "a\0b"]
    {
        assert_refused(folder.file(name), Refused::Elsewhere);
        assert_refused(folder.folder(name), Refused::Elsewhere);
        assert_refused(folder.writable(name), Refused::Elsewhere);
        assert_refused(folder.remove(name), Refused::Elsewhere);
        assert_refused(folder.create_folder(name), Refused::Elsewhere);
        assert_refused(folder.rename("folder", name), Refused::Elsewhere);
        assert_refused(folder.rename(name, "folder"), Refused::Elsewhere);
    }
    for name in ["", "/", "..", "../outside/file", "folder/../../outside/file", "/etc/passwd"] {
        assert_refused(folder.beneath(Path::new(name)), Refused::Elsewhere);
        assert_refused(folder.made_beneath(Path::new(name)), Refused::Elsewhere);
    }
}

#[test]
fn a_file_with_a_second_name_is_read_and_not_written() {
    let space = Space::new();
    let folder = space.open();
    fs::hard_link(space.outside.join("file"), space.path.join("file")).expect("made");
    assert_refused(folder.writable("file"), Refused::SecondName);
    assert_refused(folder.appendable("file"), Refused::SecondName);
    // A backup may share its files.
    assert_eq!(folder.read("file", 10).expect("a file"), SECRET.as_bytes());
    // One that is written as a whole takes its place.
    folder.write("file", b"new").expect("written");
    assert_eq!(fs::read_to_string(space.outside.join("file")).expect("there"), SECRET);
    assert_eq!(folder.read("file", 10).expect("a file"), b"new");
}

#[test]
fn what_is_written_as_a_whole_follows_no_link() {
    let space = Space::new();
    let folder = space.open();
    for name in ["file", "file.tmp"] {
        symlink(space.outside.join("file"), space.path.join(name)).expect("made");
    }
    folder.write("file", b"new").expect("written");
    assert_eq!(fs::read_to_string(space.outside.join("file")).expect("there"), SECRET);
    assert!(space.path.join("file").symlink_metadata().expect("there").is_file());
    assert!(space.path.join("file.tmp").symlink_metadata().is_err());
}

#[test]
fn a_folder_that_is_open_stays_the_same() {
    let space = Space::new();
    let folder = space.open();
    folder.write("file", b"mine").expect("written");
    fs::rename(&space.path, space.path.with_extension("moved")).expect("moved");
    symlink(&space.outside, &space.path).expect("made");
    assert_eq!(folder.read("file", 10).expect("there"), b"mine");
    assert!(!folder.is_same(&space.open()));
    let identity = Identity::of(&folder.file("file").expect("there")).expect("known");
    assert_refused(identity.reopen(&space.path.join("file")), Refused::Replaced);
    assert!(identity.reopen(&space.path.with_extension("moved").join("file")).is_ok());
}

#[test]
fn removing_removes_links_and_not_what_they_lead_to() {
    let space = Space::new();
    let folder = space.open();
    let inner = folder.create_folder("inventory").expect("made");
    symlink(space.outside.join("file"), space.path.join("inventory/link")).expect("made");
    symlink(&space.outside, space.path.join("inventory/folder link")).expect("made");
    inner.write("file", b"mine").expect("written");
    folder.remove_with_files("inventory").expect("removed");
    folder.remove_with_files("inventory").expect("nothing to remove");
    assert!(!space.path.join("inventory").exists());
    assert_eq!(fs::read_to_string(space.outside.join("file")).expect("there"), SECRET);
}

#[test]
fn a_temporary_file_has_a_name_of_its_own_until_it_is_published() {
    let space = Space::new();
    let folder = space.open();
    let mut file = folder.temporary(".x-").expect("made");
    io::Write::write_all(&mut file, b"abc").expect("written");
    let names = || folder.entries().expect("readable").into_iter().map(|entry| entry.name).collect::<Vec<_>>();
    assert!(matches!(&names()[..], [name] if name.to_string_lossy().starts_with(".x-")));
    symlink(space.outside.join("file"), space.path.join("x")).expect("made");
    file.publish(&folder, "x".as_ref()).expect("renamed");
    assert_eq!(names(), ["x"]);
    assert_eq!(fs::read_to_string(space.outside.join("file")).expect("there"), SECRET);
    drop(folder.temporary(".x-").expect("made"));
    drop(folder.temporary(".x-").expect("made").into_file().expect("without a name"));
    assert_eq!(names(), ["x"]);
}

#[test]
fn what_the_user_names_may_be_a_link_and_must_be_a_file() {
    let space = Space::new();
    let strangers = space.strangers();
    assert!(file_named(&space.path.join("link")).is_ok());
    assert!(Directory::open(&space.path.join("folder link")).is_ok());
    assert_refused(file_named(&space.path.join("inner link")), Refused::Fifo);
    for (name, why) in strangers.into_iter().filter(|(_, why)| *why != Refused::Link) {
        assert_refused(file_named(&space.path.join(name)), why);
    }
    assert_refused(file_named(Path::new("/dev/null")), Refused::Device);
}

#[test]
fn a_line_has_an_end() {
    let mut line = Vec::new();
    let mut text: &[u8] = b"one\ntwo";
    assert_eq!(read_line(&mut text, &mut line).expect("a line"), 4);
    assert_eq!(read_line(&mut text, &mut line).expect("the rest"), 3);
    assert_eq!((read_line(&mut text, &mut line).expect("the end"), line.len()), (0, 0));
    let mut endless = io::BufReader::new(io::repeat(b'x'));
    assert_refused(read_line(&mut endless, &mut line), Refused::LongLine(LONGEST_LINE));
}
