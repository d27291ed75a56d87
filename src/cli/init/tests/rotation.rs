//! `--renew-ca`: three steps, between any two of which both sides get on with each other.

use super::*;

/// What of the directory the two ends have, as of some step.
struct Ends {
    trusted: [Vec<bundle::Certificate>; 2],
    shown: [bundle::Certificate; 3],
}

impl Ends {
    fn of(scratch: &Scratch) -> Self {
        let certificate = |file| bundle::parse_first(&scratch.text(file)).unwrap();
        Self {
            trusted: ["ca.crt", "client-ca.crt"]
                .map(|file| bundle::parse(&scratch.text(file)).unwrap()),
            shown: ["tls.crt", "kube-apiserver.crt", "helm-test.crt"].map(certificate),
        }
    }

    /// Whether whoever has these authorities takes each certificate that `other` shows.
    fn trusts(&self, other: &Self) -> [bool; 3] {
        let [server, client] = &self.trusted;
        let trusts = |bundle: &[bundle::Certificate], leaf: &bundle::Certificate| {
            bundle.iter().any(|authority| leaf.is_signed_by(authority))
        };
        let [tls, apiserver, further] = &other.shown;
        [trusts(server, tls), trusts(client, apiserver), trusts(client, further)]
    }
}

#[test]
fn every_step_gets_on_with_the_one_before_and_the_old_end_is_out() {
    let scratch = Scratch::new("rotation");
    scratch.init(&["--client", "helm-test"]).unwrap();
    let first = scratch.files();
    let mut steps = vec![Ends::of(&scratch)];
    for step in 1..=3 {
        let report = scratch.init(&["--renew-ca"]).unwrap();
        assert!(report.contains(&format!("Step {step} of 3")), "{report}");
        assert_eq!(report.contains("Before the next --renew-ca"), step < 3, "{report}");
        // Nothing else is to be made in between, whatever a run is for.
        let before = scratch.files();
        scratch.init(&[]).unwrap();
        assert_eq!(scratch.files(), before);
        steps.push(Ends::of(&scratch));
    }
    for (step, pair) in steps.windows(2).enumerate() {
        assert_eq!(pair[0].trusts(&pair[1]), [true; 3], "{step} trusts the next");
        assert_eq!(pair[1].trusts(&pair[0]), [true; 3], "{step} is trusted by the next");
    }
    assert_eq!(steps[0].trusts(&steps[3]), [false; 3]);
    assert_eq!(steps[3].trusts(&steps[0]), [false; 3]);

    let last = scratch.files();
    assert!(first.keys().eq(last.keys()), "{:?}", last.keys());
    for (file, bytes) in &first {
        assert_eq!(last[file] == *bytes, is_kept(file), "{file}");
    }
    for file in last.keys().filter(|file| file.ends_with(".key")) {
        assert_eq!(scratch.mode(file), 0o600, "{file}");
    }
    assert!(scratch.init(&["--renew-ca"]).unwrap().contains("Step 1 of 3"));
}

#[test]
fn the_key_that_signs_is_always_that_of_a_trusted_authority() {
    let scratch = Scratch::new("amidst");
    scratch.init(&["--client", "helm-test"]).unwrap();
    for step in 1..=3 {
        scratch.init(&["--renew-ca"]).unwrap();
        scratch.init(&["--renew"]).unwrap();
        for (stem, authority) in
            [("tls", "ca"), ("kube-apiserver", "client-ca"), ("helm-test", "client-ca")]
        {
            assert!(scratch.is_good(stem, authority), "{stem} after step {step}");
        }
        assert_eq!(scratch.0.join("ca-next.key").exists(), step == 1);
        assert_eq!(scratch.0.join("ca-old.crt").exists(), step == 2);
    }
}

#[test]
fn an_authority_that_the_operator_has_added_stays() {
    let scratch = Scratch::new("added");
    let other = Scratch::new("addition");
    scratch.init(&[]).unwrap();
    other.init(&[]).unwrap();
    let added = other.text("client-ca.crt");
    let both = format!("{}{added}", scratch.text("client-ca.crt"));
    fs::write(scratch.0.join("client-ca.crt"), both).unwrap();
    for step in 1..=3 {
        scratch.init(&["--renew-ca"]).unwrap();
        assert!(scratch.text("client-ca.crt").contains(&added), "step {step}");
    }
    assert_eq!(bundle::parse(&scratch.text("client-ca.crt")).unwrap().len(), 2);
    assert!(scratch.is_good("kube-apiserver", "client-ca"));
}

#[test]
fn a_step_that_a_crash_has_cut_short_is_done_to_its_end() {
    // What of each step's files was not yet renamed or removed when the machine went down: the last
    // one only, all of the second authority's, all but the first.
    for left in [1, 2, 3, 5, 8, 100] {
        let scratch = Scratch::new(&format!("cut{left}"));
        scratch.init(&["--client", "helm-test"]).unwrap();
        let mut reached = vec![Ends::of(&scratch)];
        for step in 1..=3 {
            let before = scratch.files();
            let args = parse(&["init", "--dir", scratch.0.to_str().unwrap(), "--renew-ca"]);
            let said = super::super::init(&args.unwrap(), OffsetDateTime::now_utc()).unwrap();
            let line = said.report.lines().next().unwrap();
            let made = line.trim_start_matches("Made ").split(" in ").next().unwrap();
            let made: Vec<_> = made.split(", ").collect();
            let after = scratch.files();
            // Back to what a crash after the first few renames leaves: removals come last.
            let kept = made.len().saturating_sub(left).max(1);
            for file in &made[kept.min(made.len())..] {
                match before.get(*file) {
                    Some(bytes) => fs::write(scratch.0.join(file), bytes).unwrap(),
                    None => scratch.remove(file),
                }
            }
            for (file, bytes) in before.iter().filter(|(file, _)| !after.contains_key(*file)) {
                fs::write(scratch.0.join(file), bytes).unwrap();
            }
            let report = scratch.init(&["--renew-ca"]).unwrap();
            assert!(report.contains(&format!("Step {step} of 3")), "left {left}: {report}");
            let ends = Ends::of(&scratch);
            assert_eq!(ends.trusts(reached.last().unwrap()), [true; 3], "left {left}, step {step}");
            assert_eq!(
                reached.last().unwrap().trusts(&ends),
                [true; 3],
                "left {left}, step {step}"
            );
            reached.push(ends);
        }
        assert_eq!(scratch.files().len(), FILES.len() + 3, "left {left}");
        assert_eq!(reached[3].trusts(&reached[0]), [false; 3], "left {left}");
    }
}

#[test]
fn the_authority_that_is_behind_catches_up_alone() {
    let scratch = Scratch::new("behind");
    scratch.init(&[]).unwrap();
    scratch.init(&["--renew-ca"]).unwrap();
    let next = scratch.bytes("client-ca-next.key");
    scratch.init(&["--renew-ca"]).unwrap();
    // The last removal of that run is lost.
    fs::write(scratch.0.join("client-ca-next.key"), next).unwrap();
    let before = scratch.files();
    let report = scratch.init(&["--renew-ca"]).unwrap();
    assert!(report.contains("Step 2 of 3"), "{report}");
    for file in ["ca.crt", "ca.key", "ca-old.crt", "tls.crt", "tls.key", "client-ca-old.crt"] {
        assert_eq!(scratch.bytes(file), before[file], "{file}");
    }
    assert!(scratch.is_good("kube-apiserver", "client-ca"));
    assert!(scratch.init(&["--renew-ca"]).unwrap().contains("Step 3 of 3"));
}

#[test]
fn where_there_is_no_authority_there_is_none_to_renew() {
    let scratch = Scratch::new("norotation");
    let error = scratch.init(&["--renew-ca"]).unwrap_err();
    assert!(error.contains("nothing to renew") && error.contains("ca.crt"), "{error}");
    assert!(scratch.files().is_empty());
}

#[test]
fn an_authority_that_has_ended_can_still_be_followed() {
    let scratch = Scratch::new("ended");
    let now = OffsetDateTime::now_utc();
    scratch.init_at(&[], now).unwrap();
    let later = now + Duration::days(4000);
    for _ in 1..=3 {
        scratch.init_at(&["--renew-ca"], later).unwrap();
    }
    assert!(scratch.is_good("tls", "ca"));
    let authority = bundle::parse_first(&scratch.text("ca.crt")).unwrap();
    assert!(authority.not_after > later);
}
