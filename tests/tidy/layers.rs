//! Imports point down the list of layers: a lower layer never names a higher one.

use crate::source::{Source, closing};
use crate::{Offence, assert_tidy, offending_lines};

/// From the bottom to the top; a file may name its own layer and those before it.
const LAYERS: &[&str] =
    &["base", "driver", "sched", "wait", "dropin", "gevent", "testing", "monkey"];

/// The faces wait through `wait`; the kernel's side is none of their business.
const NEVER_NAME_DRIVER: &[&str] = &["dropin", "gevent"];

#[test]
fn layers_only_name_layers_below() {
    assert_tidy(&["src"], layering);
}

fn layering(source: &Source) -> Vec<Offence> {
    if source.path == "src/lib.rs" {
        return Vec::new();
    }
    let inside = source.path.trim_start_matches("src/").trim_end_matches(".rs");
    let parts: Vec<&str> = inside.split('/').filter(|part| *part != "mod").collect();
    let Some(layer) = position(parts[0]) else {
        return vec![Offence::new(source, 1, "src holds lib.rs and the layers, nothing else")];
    };
    let mut offences = Vec::new();
    for at in source.find("crate::") {
        for head in heads(source, at + 2) {
            let message = objection(layer, source.text(head), source.text(head + 1) == "!");
            // `$crate` is expanded in the user's crate, where only the public names exist.
            let in_macro = at > 0 && source.text(at - 1) == "$" && !is_layer(source.text(head));
            if let Some(message) = message.filter(|_| !in_macro) {
                offences.push(Offence::new(source, source.tokens[head].line, message));
            }
        }
    }
    offences.extend(escapes(source, parts.len()));
    offences
}

/// What is wrong with `crate::<name>` in the given layer.
fn objection(layer: usize, name: &str, is_macro: bool) -> Option<String> {
    let here = LAYERS[layer];
    match position(name) {
        Some(other) if other > layer => Some(format!("{here} names {name}, which is above it")),
        Some(_) if name == "driver" && NEVER_NAME_DRIVER.contains(&here) => {
            Some(format!("{here} names driver; it must wait through the wait layer"))
        }
        Some(_) => None,
        None if is_macro => None,
        None => Some(format!("`crate::{name}` is a name of the root; name the layer it is from")),
    }
}

/// The first names after `crate::`, several when a group follows.
fn heads(source: &Source, after: usize) -> Vec<usize> {
    if source.text(after) != "{" {
        return vec![after];
    }
    let end = closing(&source.tokens, after);
    let mut heads = Vec::new();
    let mut at = after + 1;
    while at < end {
        heads.push(at);
        while at < end && source.text(at) != "," {
            at = if source.text(at) == "{" { closing(&source.tokens, at) } else { at + 1 };
        }
        at += 1;
    }
    heads
}

/// Chains of `super` that reach the crate's root, where other layers could be named.
fn escapes(source: &Source, file_depth: usize) -> Vec<Offence> {
    let mut offences = Vec::new();
    let mut steps = 0;
    for at in source.find("super::") {
        let continues = at >= 2 && source.text(at - 2) == "super" && source.text(at - 1) == "::";
        steps = if continues { steps + 1 } else { 1 };
        // Only the step that crosses the border is reported, not those after it.
        if steps == file_depth + source.tokens[at].modules {
            let line = source.tokens[at].line;
            offences.push(Offence::new(source, line, "`super` leaves the layer; write `crate::`"));
        }
    }
    offences
}

fn position(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| *layer == name)
}

fn is_layer(name: &str) -> bool {
    position(name).is_some()
}

#[test]
fn naming_a_higher_layer_is_an_offence() {
    let text = "use crate::base::A;\nuse crate::sched::B;\nuse crate::wait::C;\nfn f() { \
                crate::gevent::g() }\n// crate::monkey::x\n";
    assert_eq!(offending_lines("src/sched/hub.rs", text, layering), [3, 4]);
    assert_eq!(offending_lines("src/sched.rs", text, layering), [3, 4]);
    assert_eq!(offending_lines("src/monkey/mod.rs", text, layering), []);
    assert_eq!(offending_lines("src/lib.rs", text, layering), []);
}

#[test]
fn groups_are_looked_into() {
    let text =
        "use crate::{\n    base::{a, b::wait},\n    sched::c,\n    wait,\n    dropin::{d, e},\n};";
    assert_eq!(offending_lines("src/sched/hub.rs", text, layering), [4, 5]);
}

#[test]
fn the_faces_do_not_name_the_driver() {
    let text = "use crate::driver::Token;";
    assert_eq!(offending_lines("src/wait/io.rs", text, layering), []);
    assert_eq!(offending_lines("src/dropin/net.rs", text, layering), [1]);
    assert_eq!(offending_lines("src/gevent/pool.rs", text, layering), [1]);
    assert_eq!(offending_lines("src/driver/poll.rs", text, layering), []);
}

#[test]
fn names_of_the_root_are_an_offence_but_macros_are_not() {
    let text = "use crate::Greenlet;\nuse crate::*;\nuse crate::{self};\ncrate::trace!();\n";
    assert_eq!(offending_lines("src/base/mod.rs", text, layering), [1, 2, 3]);
    let expanded = "($crate::local::Key)\n($crate::wait::park)";
    assert_eq!(offending_lines("src/base/mod.rs", expanded, layering), [2]);
}

#[test]
fn super_stays_within_the_layer() {
    let one = "use super::a;\nmod tests {\n    use super::*;\n}";
    assert_eq!(offending_lines("src/sched/mod.rs", one, layering), [1]);
    assert_eq!(offending_lines("src/sched/hub.rs", one, layering), []);
    let three = "use super::super::super::a;\npub(super) fn b() {}";
    assert_eq!(offending_lines("src/sched/hub.rs", three, layering), [1]);
    assert_eq!(offending_lines("src/dropin/os/unix.rs", three, layering), [1]);
    assert_eq!(offending_lines("src/dropin/os/unix/net.rs", three, layering), []);
}

#[test]
fn files_outside_the_layers_are_an_offence() {
    assert_eq!(offending_lines("src/util.rs", "//! Odds and ends.", layering), [1]);
}
