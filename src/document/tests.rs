//! Both formats, what is refused, and what a reading reports.

use super::*;

fn tree(text: &str) -> Value {
    Document::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text:?}: {error}")).root.value
}

fn refusal(bytes: &[u8]) -> String {
    let error = Document::parse(bytes).expect_err(&String::from_utf8_lossy(bytes));
    let line = error.line.map(|line| format!("{line}: ")).unwrap_or_default();
    format!("{line}{error}")
}

/// As serde_json would have it.
fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Boolean(value) => (*value).into(),
        Value::Number(text) => serde_json::from_str(text).unwrap(),
        Value::String(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(|item| json(&item.value)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|field| (field.key.clone(), json(&field.node.value))).collect()
        }
    }
}

#[test]
fn json_reads_as_serde_json_reads_it() {
    let long_key = format!(r#"{{"{}": 1}}"#, "k".repeat(5000));
    for text in [
        r#"{"a":"b"}"#,
        r#"{"a":{"b":[1,-2,3.5,1e3,true,false,null,"",[],{}]},"c":"true","d":"1"}"#,
        "{\n\t\"a\":\t1,\n\t\"b\": [\n\t\t1,\n\t\t2\n\t]\n}\r\n",
        "{\"a\"\n:\n1}",
        r#"{"a":"\ud83d\ude00 \u00e9 \/ \b\f\n\r\t\\ \" 😀"}"#,
        r##"{"a":"# no comment","b":"x: y","c":"- z","d":"*e","f":"&g","h":"!i","%":"@"}"##,
        r#"{"url":"https://issuer:8443/x","":"empty key","<":"<"}"#,
        "[\"-----BEGIN CERTIFICATE-----\\nMIIB\\n\"]",
        &long_key,
    ] {
        let wanted: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(json(&tree(text)), wanted, "{text}");
    }
}

#[test]
fn plain_scalars_follow_the_core_schema() {
    let string = |text: &str| Value::String(text.to_owned());
    let number = |text: &str| Value::Number(text.to_owned());
    for (text, wanted) in [
        ("true", Value::Boolean(true)),
        ("False", Value::Boolean(false)),
        ("yes", string("yes")),
        ("on", string("on")),
        ("n", string("n")),
        ("tRUE", string("tRUE")),
        ("'true'", string("true")),
        ("!!str true", string("true")),
        ("5", number("5")),
        ("-5.5e3", number("-5.5e3")),
        ("0x1F", number("0x1F")),
        (".inf", number(".inf")),
        ("'5'", string("5")),
        ("127.0.0.1:8443", string("127.0.0.1:8443")),
        ("1.2.3", string("1.2.3")),
        ("30s", string("30s")),
        ("2024-01-01", string("2024-01-01")),
        ("inf", string("inf")),
        ("infinity", string("infinity")),
        ("|\n  x\n  y\n", string("x\ny\n")),
    ] {
        assert_eq!(tree(text), wanted, "{text}");
    }
    for null in ["a:", "a: ~", "a: null"] {
        assert!(
            matches!(&tree(null), Value::Object(fields) if fields[0].node.value == Value::Null)
        );
    }
}

#[test]
fn what_is_not_one_document_is_refused() {
    for (bytes, wanted) in [
        (&b""[..], "the file is empty"),
        (b"# nothing\n---\n", "the file is empty"),
        (b"a: \xff", "not UTF-8 text (byte 3)"),
        (b"a: 1\n---\nb: 2\n", "2: a second document begins here: one file holds one"),
        (b"a: [1,\n b", "1: not YAML or JSON: unclosed bracket '['"),
        (b"a: b: c", "1: not YAML or JSON: mapping values are not allowed in this context"),
        (b"{\"a\": 1} x", "1: not YAML or JSON: did not find expected <document start>"),
        (b"a: 1\nb: *nobody", "2: not YAML or JSON: while parsing node, found unknown anchor"),
        (b"a: &x [*x]", "1: an alias within what it stands for"),
        (b"a: !secret x", "1: the tag !secret is not supported"),
        (b"a: !!set {x}", "1: the tag !!set is not supported"),
        (b"a: &x {b: 1}\nc:\n  <<: *x", "3: merge keys (<<) are not supported"),
        (b"? [a]\n: 1", "1: a key must be a plain or quoted string"),
    ] {
        assert_eq!(refusal(bytes), wanted, "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn a_file_may_hold_several_documents() {
    let roots = |text: &str| {
        let documents = Document::parse_all(text.as_bytes()).unwrap();
        documents.iter().map(|document| json(&document.root.value)).collect::<Vec<_>>()
    };
    let ab = [serde_json::json!({"a": 1}), serde_json::json!({"b": 2})];
    for text in
        ["a: 1\n---\nb: 2", "---\na: 1\n---\n# c\n---\nb: 2\n---\n", "{a: 1}\n...\n---\n{b: 2}"]
    {
        assert_eq!(roots(text), ab, "{text}");
    }
    assert!(roots("").is_empty() && roots("# nothing\n---\n").is_empty());
    for alias in ["*x", "&x [*x]"] {
        let text = format!("a: &x 1\n---\nb: {alias}");
        let error = Document::parse_all(text.as_bytes()).unwrap_err();
        assert_eq!(error.line, Some(3), "{error}");
    }
    let second = Document::parse_all(b"a: 1\n---\n\nb: 5").unwrap().pop().unwrap();
    let report = Report::default();
    let mut fields = second.cursor(&report).object();
    fields.take("b").string();
    fields.finish(&[]);
    assert_eq!(report.finish().0[0].place.line(), 4, "in the file");
}

#[test]
fn what_must_not_be_seen_is_not_quoted() {
    for text in ["a: !hunter2", "a: @hunter2", "a: b: hunter2", "a: \"\\hunter2\"", "a: *hunter2"] {
        let error = Document::parse_all(text.as_bytes()).unwrap_err();
        assert!(!error.discreet().contains(['2', '@', '\\']), "{}", error.discreet());
    }
    for value in ["hunter2", "5", "true", "[hunter2]", "{hunter2: 5}", "'5'"] {
        let text = format!("object: {value}\nlist: {value}\nstring: {value}\nboolean: {value}");
        let document = Document::parse(text.as_bytes()).unwrap();
        let report = Report::discreet();
        let mut fields = document.cursor(&report).object();
        let _ = fields.take("object").object();
        let _ = (fields.take("list").list(), fields.take("string").string());
        fields.take("boolean").boolean();
        fields.finish(&[]);
        for problem in report.finish().0 {
            assert!(!problem.text.contains(['2', '5']), "{problem}");
        }
    }
}

#[test]
fn aliases_are_followed_within_a_bound() {
    let text = "a: &x {b: [1, 2]}\nc: *x";
    assert_eq!(json(&tree(text)), serde_json::json!({"a": {"b": [1, 2]}, "c": {"b": [1, 2]}}));

    let mut bomb = "a0: &a0 [x, x]\n".to_owned();
    for level in 1..40 {
        let below = level - 1;
        bomb += &format!("a{level}: &a{level} [*a{below}, *a{below}, *a{below}, *a{below}]\n");
    }
    let refusal = refusal(bomb.as_bytes());
    assert!(refusal.ends_with("more than 1000000 values, aliases expanded"), "{refusal}");
}

/// A body of 1 MiB could take 50 GiB: each alias was one value, however long.
#[test]
fn what_aliases_copy_is_bounded() {
    let long = "x".repeat(1 << 20);
    let said = "more than 4 MiB of text in anchors and aliases";
    for text in [
        format!("a: &x {long}\nb: [{}]", "*x,".repeat(10)),
        format!("a: &x {{? {}\n: 1}}\nb: [{}]", "k".repeat(1000), "*x,".repeat(5000)),
        format!("{}{long}{}", "&x [".repeat(10), "]".repeat(10)),
    ] {
        assert!(refusal(text.as_bytes()).ends_with(said));
    }
    let three = format!("a: &x {long}\nb: [*x, *x]");
    assert!(Document::parse(three.as_bytes()).is_ok());
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{}x{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Document::parse(nested(64).as_bytes()).is_ok());
    assert!(Document::parse(nested(65).as_bytes()).is_err());
    assert!(Document::parse("- ".repeat(100_000).as_bytes()).is_err());
}

/// Reads `{name: string, on: boolean, list: [string], inner: {deep: number}}`.
fn remarks(text: &str) -> Vec<String> {
    let document = Document::parse(text.as_bytes()).unwrap();
    let report = Report::default();
    let mut fields = document.cursor(&report).object();
    fields.take("name").string();
    fields.take("on").boolean();
    fields.take("list").list().map(|items| items.into_iter().map(Cursor::string).count());
    let mut inner = fields.take("inner").object();
    inner.take("deep").scalar("a number", |scalar| match scalar {
        Scalar::Number(_) => Ok(()),
        Scalar::String(text) => Err(format!("{text} is not one")),
    });
    inner.finish(&[]);
    fields.finish(&["tomorrow"]);
    let (problems, _) = report.finish();
    problems.iter().map(|problem| format!("{}: {problem}", problem.place.line())).collect()
}

#[test]
fn everything_odd_is_reported_at_its_place() {
    for (text, wanted) in [
        ("name: x\non: true\nlist: [a]\ninner: {deep: 1}", &[][..]),
        ("{}", &[]),
        ("name:\ninner:\nlist: ~", &[]),
        ("[]", &["1: wanted an object, found a list"]),
        ("name: 5", &["1: name: wanted a string, found the number 5: put it in quotes"]),
        ("name: no", &[]),
        ("name: true", &["1: name: wanted a string, found true: put it in quotes"]),
        ("on: yes", &["1: on: wanted true or false, found the string \"yes\""]),
        ("on: 'true'", &["1: on: wanted true or false, found the string \"true\""]),
        ("list: a", &["1: list: wanted a list, found the string \"a\""]),
        (
            "list: [a,\n null, {}]",
            &[
                "2: list[1]: wanted a string, found nothing",
                "2: list[2]: wanted a string, found an object",
            ],
        ),
        ("inner: [1]", &["1: inner: wanted an object, found a list"]),
        ("inner: {deep: x}", &["1: inner.deep: x is not one"]),
        ("inner: {deep: true}", &["1: inner.deep: wanted a number, found true"]),
        ("inner:\n  deeep: 1", &["2: inner.deeep: unknown field; did you mean deep?"]),
        ("Name: x", &["1: Name: unknown field; did you mean name?"]),
        ("colour: x", &["1: colour: unknown field; known here: name, on, list, inner"]),
        ("tomorrow: x", &["1: tomorrow: not known to this version of countersign"]),
        ("name: a\nname: 5", &["2: name: duplicate field; it stands on line 1 already"]),
        (
            "{\"name\":\"a\",\n\"name\":\"a\"}",
            &["2: name: duplicate field; it stands on line 1 already"],
        ),
        (
            "x1: 1\nx1: 1",
            &[
                "1: x1: unknown field; known here: name, on, list, inner",
                "2: x1: unknown field; known here: name, on, list, inner",
                "2: x1: duplicate field; it stands on line 1 already",
            ],
        ),
        (
            "lits: 1\non: 2\nname: {}",
            &[
                "1: lits: unknown field; did you mean list?",
                "2: on: wanted true or false, found the number 2",
                "3: name: wanted a string, found an object",
            ],
        ),
    ] {
        let remarks = remarks(text);
        let wanted = wanted.iter().copied().map(str::to_owned).collect::<Vec<_>>();
        let (mut remarks, mut wanted) = (remarks, wanted);
        remarks.sort();
        wanted.sort();
        assert_eq!(remarks, wanted, "{text}");
    }
}

#[test]
fn problems_come_in_the_order_of_the_document() {
    let lines = remarks("zz: 1\non: 2\naa: 1\nname: {}");
    assert_eq!(lines.iter().map(|line| &line[..1]).collect::<String>(), "1234");
}

#[test]
fn a_long_string_is_not_echoed() {
    let remarks = remarks("on: \"-----BEGIN PRIVATE KEY-----\\nMIIE\"");
    assert_eq!(remarks, ["1: on: wanted true or false, found a long string"]);
}

#[test]
fn the_nearest_word_is_a_near_one() {
    let known = ["url", "jwksURL", "jwksFile", "signingAlgorithms"];
    for (word, wanted) in [
        ("jwksUrl", Some("jwksURL")),
        ("signingAlgorythms", Some("signingAlgorithms")),
        ("uri", Some("url")),
        ("audiences", None),
        ("", None),
    ] {
        assert_eq!(nearest(word, known), wanted, "{word}");
    }
}

#[test]
fn a_field_that_belongs_elsewhere_is_refused_and_reads_as_absent() {
    let document = Document::parse(b"there: 1\nhere: a\nwhere: b\n").unwrap();
    let report = Report::default();
    let mut fields = document.cursor(&report).object();
    assert!(fields.refuse("there", "it belongs there").boolean().is_absent());
    assert!(fields.refuse("nowhere", "it belongs nowhere").boolean().is_absent());
    assert_eq!(fields.take("here").string().value().map(String::as_str), Some("a"));
    fields.finish(&[]);
    let problems = report.finish().0.iter().map(Remark::to_string).collect::<Vec<_>>();
    assert_eq!(problems, ["there: it belongs there", "where: unknown field; did you mean here?"]);
}
