//! What one source finds, whatever it turns out to be.

use super::*;
use std::fs;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

/// A folder with `real/app.log`, `real/secret` and `logs/x.log`.
fn place() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    for folder in ["real", "logs"] {
        fs::create_dir(place.path().join(folder)).unwrap();
    }
    for file in ["real/app.log", "real/secret", "logs/x.log"] {
        fs::write(place.path().join(file), file).unwrap();
    }
    place
}

fn link(place: &TempDir, target: &str, at: &str) {
    let at = place.path().join(at);
    let _ = fs::remove_file(&at);
    symlink(place.path().join(target), at).unwrap();
}

/// A whole look; what has changed.
fn look(watch: &mut Watch) -> Vec<PathBuf> {
    let mut changed = Vec::new();
    loop {
        let looked = watch.look(&mut Roots::default(), false);
        changed.extend(looked.changed);
        if !looked.more {
            return changed;
        }
    }
}

/// What a look finds: the files' content, or why there is none.
fn sees(watch: &mut Watch) -> Vec<String> {
    look(watch);
    assert!(watch.is_complete());
    assert_eq!(look(watch), [""; 0].map(PathBuf::from), "nothing has changed since");
    let content = |sighting: Sighting| match sighting.root.open_file(&sighting.rel) {
        Ok(file) => std::io::read_to_string(fs::File::from(file)).unwrap(),
        Err(why) => why.to_string(),
    };
    watch.sightings().into_iter().map(content).collect()
}

fn watch(place: &TempDir, rel: &str) -> Watch {
    let source = Source::parse(place.path().join(rel).to_str().unwrap()).unwrap();
    Watch::new(source, None, &mut Roots::default()).unwrap()
}

#[test]
fn a_link_to_outside_that_was_named_is_followed_to_where_it_led_then() {
    let place = place();
    link(&place, "real/app.log", "logs/current");
    let mut watch = watch(&place, "logs/current");
    assert_eq!(sees(&mut watch), ["real/app.log"]);
    link(&place, "real/secret", "logs/current");
    assert_eq!(sees(&mut watch), ["real/app.log"]);
}

#[test]
fn a_link_to_outside_that_was_found_is_refused() {
    let place = place();
    link(&place, "real/secret", "logs/current");
    assert_eq!(sees(&mut watch(&place, "logs")), ["it leads out of its folder", "logs/x.log"]);
    assert_eq!(sees(&mut watch(&place, "logs/c*")), ["it leads out of its folder"]);
}

#[test]
fn what_is_waited_for_may_become_anything() {
    let place = place();
    let mut file = watch(&place, "later.log");
    let mut folder = watch(&place, "later");
    assert_eq!(sees(&mut file), ["there is no such file"]);
    fs::write(place.path().join("later.log"), "here").unwrap();
    assert_eq!(sees(&mut file), ["here"]);
    link(&place, "real", "later");
    assert_eq!(sees(&mut folder), ["real/app.log", "real/secret"]);
}

#[test]
fn standard_input_without_a_spool_is_nothing_to_watch() {
    let stdin = Source::parse("-").unwrap();
    assert!(Watch::new(stdin.clone(), None, &mut Roots::default()).is_none());
    let place = place();
    let mut spooled =
        Watch::new(stdin, Some(&place.path().join("logs/x.log")), &mut Roots::default()).unwrap();
    assert_eq!(sees(&mut spooled), ["logs/x.log"]);
}
