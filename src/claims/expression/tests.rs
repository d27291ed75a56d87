use std::sync::Arc;
use std::thread;

use super::super::{Claims, JsonObject};
use super::*;

const CLAIMS: &str = r#"{
    "iss": "https://i.example", "sub": "jane", "email": "jane@example.com", "email_verified": true,
    "groups": ["dev", "ops", "system:x"], "roles": "admin,viewer", "n": 5, "f": 1.5, "neg": -3,
    "t": true, "nul": null, "empty": "", "el": [], "em": {}, "mix": ["s", 1, true, null],
    "nested": {"deep": {"list": [{"name": "x", "v": 1}, {"name": "y", "a.b": 2}], "s": "q"}},
    "a.b": "dot", "a-b": "dash", "in": "word", "uni": "héllo wörld ☃", "cidr": "10.0.0.0/8",
    "url": "https://u:p@h.example:8443/p/a?x=1&x=2#f", "ver": "1.2.3-rc.1", "dur": "1h30m",
    "when": "2024-02-29T12:34:56Z", "big": 12345678901234567890
}"#;

fn parsed(json: &str) -> Claims {
    Claims::parse(JsonObject::parse(json.into()).expect("an object").into()).expect("claims")
}

fn claims() -> Claims {
    parsed(CLAIMS)
}

fn user() -> UserInfo {
    UserInfo {
        username: "jane".into(),
        uid: "u1".into(),
        groups: vec!["a".into(), "system:b".into()],
        extra: [
            ("example.com/k".to_owned(), vec!["v".to_owned()].into()),
            ("a.b".to_owned(), vec!["dot".to_owned()].into()),
        ]
        .into(),
    }
}

/// What an expression comes to: its value as JSON would have it, or what is wrong.
fn outcome(environment: Environment, source: &str) -> String {
    let expression = match Expression::compile(environment, source, Returns::Any) {
        Ok(expression) => expression,
        Err(error) => return error.to_string(),
    };
    let (claims, user) = (claims(), user());
    let input = match environment {
        Environment::Claims => Input::Claims(&claims),
        Environment::User => Input::User(&user),
    };
    match expression.evaluate(input, &mut Budget::new()) {
        Ok(value) => show(&value),
        Err(error) => format!("error: {error}"),
    }
}

fn show(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => format!("{value}u"),
        Value::Double(value) => format!("{value:?}"),
        Value::String(text) => format!("{text:?}"),
        Value::Bytes(bytes) => format!("b{bytes:?}"),
        Value::List(items) => {
            format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", "))
        }
        Value::Map(entries) => {
            let shown =
                entries.iter().map(|(key, value)| format!("{}: {}", show(key), show(value)));
            format!("{{{}}}", shown.collect::<Vec<_>>().join(", "))
        }
        Value::Optional(None) => "none".to_owned(),
        Value::Optional(Some(value)) => format!("some({})", show(value)),
        Value::Other { type_name, text } => format!("{type_name}({text})"),
    }
}

#[test]
fn expressions_come_to_what_upstream_says() {
    for (source, wanted) in [
        ("claims.sub", r#""jane""#),
        ("'oidc:' + claims.sub", r#""oidc:jane""#),
        ("claims.a__dot__b + claims.a__dash__b + claims.__in__", r#""dotdashword""#),
        ("claims['a.b']", r#""dot""#),
        ("claims.nested['deep'].list[1]['name']", r#""y""#),
        ("claims.nested.deep.list[1].a__dot__b", "2.0"),
        // A loop's variable is no part of the token any more, as upstream.
        ("claims.nested.deep.list.map(x, x.?a__dot__b.orValue(0))", "[0, 0]"),
        ("claims.?sub.orValue('d')", r#""jane""#),
        ("claims.?missing.orValue('d')", r#""d""#),
        ("claims.?sub.orValue(claims.missing)", r#""jane""#),
        ("claims.?nested.?deep.?s", r#"some("q")"#),
        ("claims.nested.?deep.s.orValue('d')", r#""q""#),
        ("claims.nested.?nope.x.y", "none"),
        ("claims.?sub.optMap(x, x + '!').orValue('d')", r#""jane!""#),
        ("claims.?groups.optFlatMap(g, g[?0])", r#"some("dev")"#),
        ("has(claims.missing) ? claims.missing : 'no'", r#""no""#),
        ("has(claims.nested.deep.s)", "true"),
        ("claims.nested.nope", "error: no such key: nope"),
        ("claims.groups[-1]", "error: index out of bounds: -1"),
        ("claims.groups.x", "error: unsupported index type 'string' in list"),
        ("claims.n", "5.0"),
        (
            "string(claims.n) + string(claims.f) + string(claims.big)",
            r#""51.51.2345678901234567e+19""#,
        ),
        ("string(claims.nul)", "error: no such overload: string(null_type)"),
        ("claims.sub + claims.n", "error: no such overload"),
        ("size(claims)", "error: no such overload: size"),
        ("'sub' in claims", "error: no such overload"),
        ("claims.sub ? 1 : 2", "error: no such overload"),
        ("string(1 / 0)", "error: division by zero"),
        ("string(9223372036854775807 + 1)", "error: integer overflow"),
        ("claims.missing == 'x' || true", "true"),
        ("false && claims.missing == 'x'", "false"),
        ("[1,2,3,4,5].exists(x, x / 0 == 1 || x == 1)", "true"),
        ("[1,2].all(x, x / 0 == 1)", "error: division by zero"),
        ("claims.sub == claims.n", "false"),
        ("dyn(1) == 1.0 && dyn(1u) < 1.5 && claims.n in [5]", "true"),
        ("dyn(claims.groups).filter(g, !g.startsWith('system:'))", r#"["dev", "ops"]"#),
        ("claims.groups + ['extra']", r#"["dev", "ops", "system:x", "extra"]"#),
        ("['a', 'b'].map(x, x != 'a', x + '1')", r#"["b1"]"#),
        ("['a','b'].exists(i, v, i == 1 && v == 'b')", "true"),
        ("{'k':'v'}.transformMap(k, v, v + k)", r#"{"k": "vk"}"#),
        ("['a','b'].transformMapEntry(i, v, {v: i})", r#"{"a": 0, "b": 1}"#),
        ("['a','b'].transformList(i, v, i > 0, v)", r#"["b"]"#),
        ("[3,1,2].sortBy(x, -x)", "[3, 2, 1]"),
        ("['b','a'].sort()", r#"["a", "b"]"#),
        ("[[1],[2,3]].flatten()", "[1, 2, 3]"),
        ("[1,2,1].distinct()", "[1, 2]"),
        ("[].sum()", "0"),
        ("[].map(x, 1.5).sum()", "0.0"),
        ("1.0 / [-0.0].sum()", "inf"),
        ("[optional.of('a'), optional.none()].unwrapOpt()", r#"["a"]"#),
        ("[?claims.?sub, ?claims.?missing]", r#"["jane"]"#),
        ("{?'k': claims.?missing}", "{}"),
        ("sets.contains(claims.groups, ['dev'])", "true"),
        ("claims.roles.split(',')", r#"["admin", "viewer"]"#),
        (
            "claims.uni.substring(0, 4) + claims.uni.charAt(1)",
            r#""hélléx""#.replace('x', "").as_str(),
        ),
        ("claims.uni.replace('', '-').size()", "27"),
        ("claims.email.findAll('[a-z]+').join(',')", r#""jane,example,com""#),
        ("claims.email.matches('^jane@.*$')", "true"),
        ("'%x %X %b %o %s'.format([255, 255, 5, 8, claims.groups.size()])", r#""ff FF 101 10 3""#),
        ("timestamp(claims.when).getHours('America/New_York')", "7"),
        ("string(timestamp(claims.when) + duration(claims.dur))", r#""2024-02-29T14:04:56Z""#),
        ("type(claims.n) == double && type(claims.groups) == list", "true"),
        ("cidr(claims.cidr).containsIP('10.1.2.3')", "true"),
        ("cidr('192.168.1.0/24').ip()", "net.IP(192.168.1.0)"),
        ("url(claims.url).getHost()", r#""h.example:8443""#),
        ("url(claims.url).getQuery()['x']", r#"["1", "2"]"#),
        ("quantity('5').sub(2).asInteger()", "3"),
        ("semver(claims.ver).isLessThan(semver('1.2.3'))", "true"),
        ("format.named('uuid').hasValue()", "true"),
        ("format.dns1123Label().validate('a-b')", "none"),
        ("{1: 'a', 1: 'b'}", r#"{1: "b"}"#),
        ("optional.ofNonZeroValue(claims.el)", "some([])"),
        ("optional.ofNonZeroValue([])", "none"),
        ("[claims.groups].map(claims, claims[0])", r#"["dev"]"#),
        ("claims == claims", "true"),
        (".claims.sub", r#""jane""#),
    ] {
        assert_eq!(outcome(Environment::Claims, source), *wanted, "{source}");
    }
    for (source, wanted) in [
        ("user.username + user.uid", r#""janeu1""#),
        ("user.groups.exists(g, g.startsWith('system:'))", "true"),
        ("user.extra['example.com/k'][0]", r#""v""#),
        ("user.extra.a__dot__b", r#"["dot"]"#),
        ("has(user.uid)", "true"),
        ("user", "kubernetes.UserInfo()"),
        ("dyn(user) == dyn(1)", "error: no such overload"),
        ("dyn(user) != dyn(1)", "true"),
        ("dyn(user) in [dyn(1)]", "false"),
        ("sets.contains([dyn(1)], [dyn(user)])", "false"),
    ] {
        assert_eq!(outcome(Environment::User, source), wanted, "{source}");
    }
}

#[test]
fn mistakes_are_reported_as_upstream_does() {
    for (environment, source, at, text) in [
        (Environment::Claims, "foo.bar", 1, "undeclared reference to 'foo' (in container '')"),
        (Environment::Claims, "user.uid", 1, "undeclared reference to 'user' (in container '')"),
        (Environment::User, "claims.sub", 1, "undeclared reference to 'claims' (in container '')"),
        (Environment::User, "user.foo", 5, "undefined field 'foo'"),
        (Environment::Claims, "nope(1)", 5, "undeclared reference to 'nope' (in container '')"),
        (
            Environment::Claims,
            "'a' == 1",
            5,
            "found no matching overload for '_==_' applied to '(string, int)'",
        ),
        (
            Environment::Claims,
            "1 + 1.0",
            3,
            "found no matching overload for '_+_' applied to '(int, double)'",
        ),
        (
            Environment::Claims,
            "claims.sub.contains(1)",
            20,
            "found no matching overload for 'contains' applied to 'any.(int)'",
        ),
        (Environment::Claims, "[1, 'a']", 5, "expected type 'int' but found 'string'"),
        (Environment::Claims, "['a', claims.sub]", 13, "expected type 'string' but found 'any'"),
        (Environment::Claims, "[-1, -2.0]", 6, "expected type 'int' but found 'double'"),
        (
            Environment::Claims,
            "claims.l.map(x, x)",
            7,
            "expression of type 'any' cannot be range of a comprehension (must be list, map, or dynamic)",
        ),
        (Environment::Claims, "[1].all(x, 1)", 12, "expected type 'bool' but found 'int'"),
        (
            Environment::Claims,
            "[1].filter(x, 1)",
            11,
            "found no matching overload for '_?_:_' applied to '(int, list(int), list(int))'",
        ),
        (Environment::Claims, "[1].map(1, 2)", 9, "argument is not an identifier"),
        (Environment::Claims, "has(claims)", 5, "invalid argument to has() macro"),
        (Environment::Claims, "timestamp('bad')", 11, "invalid timestamp argument"),
        (Environment::Claims, "duration('bad')", 10, "invalid duration argument"),
        (Environment::Claims, "'a'.matches('(')", 13, "invalid matches argument"),
        (Environment::Claims, "'%s %s'.format(['a'])", 15, "index 1 out of range"),
        (
            Environment::Claims,
            "'%s'.format([claims.n])",
            20,
            "error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given google.protobuf.Any",
        ),
        (Environment::Claims, "'a' 'b'", 5, "Syntax error: extraneous input ''b'' expecting <EOF>"),
        (Environment::Claims, "namespace", 1, "reserved identifier: namespace"),
    ] {
        let found = Expression::compile(environment, source, Returns::Any).expect_err(source);
        let dots = ".".repeat(at - 1);
        let wanted =
            format!("compilation failed: ERROR: <input>:1:{at}: {text}\n | {source}\n | {dots}^");
        assert_eq!(found, CompileError::Invalid(wanted), "{source}");
    }
    let two = Expression::compile(Environment::Claims, "base64.encode(b'x')", Returns::Any);
    let two = two.expect_err("both").to_string();
    assert!(two.contains("1:1: undeclared reference to 'base64'"), "{two}");
    assert!(two.contains("\nERROR: <input>:1:14: undeclared reference to 'encode'"), "{two}");
    for (source, text) in [
        ("int('x')", "type conversion error from 'string' to 'int'"),
        ("uint(-1)", "unsigned integer overflow"),
        ("timestamp", "reference to undefined type: timestamp"),
    ] {
        let found = Expression::compile(Environment::Claims, source, Returns::Any);
        let wanted = CompileError::Internal(format!("program instantiation failed: {text}"));
        assert_eq!(found, Err(wanted), "{source}");
    }
}

#[test]
fn results_are_typed() {
    let claims = Environment::Claims;
    for (source, returns, result) in [
        ("claims.foo", Returns::Bool, Err("must evaluate to bool")),
        ("claims.foo == 'x'", Returns::Bool, Ok(())),
        ("claims.?email_verified.orValue(false)", Returns::Bool, Err("must evaluate to bool")),
        ("claims.?email_verified.orValue(false) == true", Returns::Bool, Ok(())),
        ("claims.foo", Returns::String, Err("must evaluate to string")),
        ("'a' + claims.foo", Returns::String, Ok(())),
        ("claims.foo", Returns::Any, Ok(())),
    ] {
        let found = Expression::compile(claims, source, returns).map(|_| ());
        let result = result.map_err(|text| CompileError::Invalid(text.to_owned()));
        assert_eq!(found, result, "{source}");
    }
}

#[test]
fn the_claims_that_are_read_are_known() {
    for (source, reads) in [
        ("claims.email", true),
        ("claims.?email", true),
        ("has(claims.email) ? 'a' : 'b'", true),
        // Upstream does not see these.
        ("claims['email']", false),
        ("claims[?'email'].orValue('')", false),
        ("['a'].map(i, i + claims.email)", true),
        ("{claims.?email: 'panda'}", true),
        ("claims.other.email", false),
        ("claims.other.claims.email", false),
        ("claims.email_verified == true", false),
        ("'claims.email'", false),
    ] {
        let expression = Expression::compile(Environment::Claims, source, Returns::Any);
        assert_eq!(expression.expect(source).reads_claim("email"), reads, "{source}");
    }
    let loops =
        |source| Expression::compile(Environment::Claims, source, Returns::Any).map(|e| e.loops());
    assert_eq!(loops("claims.sub + 'a'"), Ok(false));
    assert_eq!(loops("claims.sub.matches('a+')"), Ok(false));
    for source in [
        "[1].all(x, x == 1)",
        "lists.range(2)",
        "[2, 1].sort()",
        "sets.contains([1], [1])",
        "claims.sub.matches(claims.pattern)",
    ] {
        assert_eq!(loops(source), Ok(true), "{source}");
    }
}

#[test]
fn string_lists_are_what_mappings_take() {
    let strings = |source: &str| {
        let expression = Expression::compile(Environment::Claims, source, Returns::Any).unwrap();
        let value = expression.evaluate(Input::Claims(&claims()), &mut Budget::new());
        value.unwrap().string_list()
    };
    let list = |items: &[&str]| Some(items.iter().map(|&item| item.to_owned()).collect::<Vec<_>>());
    assert_eq!(strings("claims.groups"), list(&["dev", "ops", "system:x"]));
    assert_eq!(strings("claims.roles"), list(&["admin,viewer"]));
    assert_eq!(strings("claims.roles.split(',')"), list(&["admin", "viewer"]));
    assert_eq!(strings("['a', '', 'b']"), list(&["a", "b"]));
    for none in ["''", "[]", "null", "claims.el"] {
        assert_eq!(strings(none), list(&[]), "{none}");
    }
    for wrong in ["claims.mix", "claims.n", "claims.?groups", "claims.nested", "[1]"] {
        assert_eq!(strings(wrong), None, "{wrong}");
    }
}

#[test]
fn errors_tell_nothing_of_claims() {
    let secret = "s3cret7";
    let claims = parsed(&format!(
        r#"{{"iss":"i","s":"{secret}","l":["{secret}"],"m":{{"{secret}":1}},"n":73737}}"#
    ));
    for source in [
        "claims[claims.s]",
        "claims.m[claims.s + 'x']",
        "{'a': 1}[claims.s]",
        "claims.l[int(claims.n)]",
        "[1][claims.n]",
        "int(claims.s)",
        "duration(claims.s)",
        "timestamp(claims.s)",
        "timestamp(0).getHours(claims.s)",
        "ip(claims.s)",
        "cidr(claims.s)",
        "cidr('10.0.0.0/8').containsCIDR(claims.s)",
        "url(claims.s)",
        "semver(claims.s)",
        "semver('1.' + claims.s + '.3')",
        "quantity(claims.s)",
        "'a'.find(claims.s + '(')",
        "'a'.matches(claims.s + '(')",
        "claims.s.charAt(int(claims.n))",
        "claims.s.substring(int(claims.n), 1)",
        "[1].slice(1, int(claims.n))",
        "lists.range(-int(claims.n))",
        "dyn([claims.s, claims.n]).join()",
        "claims.l.map(x, int(x))",
        "(claims.s + '%q').format([1])",
        "(claims.s + '%.' + claims.s).format([1])",
        "dyn(claims.l).transformMapEntry(i, v, {claims.s: 1})",
        "dyn([1, 2]).transformMapEntry(i, v, {claims.s: 1})",
        "claims.l.map(x, claims[x])",
    ] {
        let Ok(expression) = Expression::compile(Environment::Claims, source, Returns::Any) else {
            continue;
        };
        if let Err(error) = expression.evaluate(Input::Claims(&claims), &mut Budget::new()) {
            let text = error.to_string();
            assert!(!text.contains(secret) && !text.contains("73737"), "{source}: {text}");
        }
    }
}

#[test]
fn costs_are_bounded() {
    let many: Vec<_> = (0..1_000).map(|n| format!("\"{n}\"")).collect();
    let claims = parsed(&format!(r#"{{"iss":"i","l":[{}]}}"#, many.join(",")));
    let too_costly = Err(EvaluationError::TOO_COSTLY);
    for source in [
        "dyn(claims.l).all(a, dyn(claims.l).all(b, a != '' && b != ''))",
        "true && dyn(claims.l).all(a, dyn(claims.l).all(b, a != b || true))",
        // What costs too much is no error that something else can make good.
        "dyn(claims.l).all(a, dyn(claims.l).all(b, a != '' && b != '')) || true",
        "!(dyn(claims.l).all(a, dyn(claims.l).all(b, a != '' && b != '')) && false)",
        "lists.range(1000000).size() > 0",
        "[0,1,2,3,4,5,6,7,8,9].map(a, [0,1,2,3,4,5,6,7,8,9].map(b, [0,1,2,3,4,5,6,7,8,9].map(c, \
         [0,1,2,3,4,5,6,7,8,9].map(d, [0,1,2,3,4,5,6,7,8,9].map(e, [a,b,c,d,e]))))) == []",
        "['aaaaaaaaaa'].map(a, a.replace('', a)).map(a, a.replace('', a)).map(a, a.replace('', a))\
         .map(a, a.replace('', a)).map(a, a.replace('', a)).size() == 1",
        "dyn(claims.l).map(a, claims.l + claims.l).flatten().flatten().size() == 2",
        "dyn(claims.l).all(a, a.matches('[' + a + ']{1,100}') || true)",
        "dyn(claims.l).all(a, '%.1000f'.format([1.0]) != a && claims.l.sort() != [])",
    ] {
        let expression = Expression::compile(Environment::Claims, source, Returns::Any);
        let expression = expression.unwrap_or_else(|error| panic!("{source}: {error}"));
        let mut budget = Budget::new();
        let found = expression.evaluate(Input::Claims(&claims), &mut budget);
        assert_eq!(found, too_costly, "{source}");
        assert_eq!(budget.left(), Budget::TOKEN - Budget::EXPRESSION, "{source}");
    }
}

/// Each was evaluated within its cost, and took seconds: what it looks at was larger than what was
/// paid for it.
#[test]
fn work_on_large_values_is_paid_for_each_time() {
    let members: Vec<_> = (0..3_000).map(|n| format!("\"k{n}\":[]")).collect();
    let claims = parsed(&format!(
        r#"{{"iss":"i","digits":"{}","long":"{}",{}}}"#,
        "9".repeat(4_000),
        "a".repeat(16_000),
        members.join(",")
    ));
    let long = "[lists.range(500).map(x, claims.long).join()]";
    for source in [
        "[quantity(claims.digits)].all(q, lists.range(20000).all(i, q.asApproximateFloat() > 0.0))"
            .to_owned(),
        "[quantity(claims.digits)].all(q, lists.range(20000).all(i, q.compareTo(q) == 0))"
            .to_owned(),
        "[quantity(claims.digits)].all(q, lists.range(20000).all(i, q == q))".to_owned(),
        "[quantity(claims.digits)].all(q, lists.range(20000).all(i, q.add(1) != q))".to_owned(),
        "lists.range(20000).all(i, quantity('1e4000').add(quantity('1n')) != quantity('1'))"
            .to_owned(),
        format!("{long}.all(s, [url('https://a/' + s)].all(u, lists.range(1000).all(i, u == u)))"),
        format!("{long}.all(s, [semver('1.2.3-' + s)].all(v, lists.range(1000).all(i, v == v)))"),
        format!("{long}.all(s, [{{s: 1}}].all(m, lists.range(10000).all(i, s in m)))"),
        format!("{long}.all(s, [{{s: 1}}].all(m, lists.range(10000).all(i, m[s] == 1)))"),
        format!("{long}.all(s, lists.range(1000).transformMapEntry(i, v, {{s: v}}) != {{}})"),
        format!("{long}.map(s, lists.range(20).map(i, s))"),
        "lists.range(1000).all(i, claims.exists(c, true))".to_owned(),
    ] {
        let expression = Expression::compile(Environment::Claims, &source, Returns::Any);
        let expression = expression.unwrap_or_else(|error| panic!("{source}: {error}"));
        let found = expression.evaluate(Input::Claims(&claims), &mut Budget::new());
        assert_eq!(found, Err(EvaluationError::TOO_COSTLY), "{source}");
    }
}

/// The standard library's sort panics at times if an order ceases to be one.
#[test]
fn sorting_what_has_no_order_is_an_error() {
    let compile = |source| Expression::compile(Environment::Claims, source, Returns::Any).unwrap();
    let sorts = compile("dyn(claims.l).map(x, double(x)).sort()");
    let sorts_by = compile("dyn(claims.l).sortBy(x, double(x)).size()");
    let mut dice = Dice(1);
    for _ in 0..300 {
        let mut list: Vec<_> =
            (0..50 + dice.roll(200)).map(|_| format!("\"{}\"", dice.roll(1_000))).collect();
        let at = dice.roll(list.len());
        list[at] = "\"NaN\"".to_owned();
        let claims = parsed(&format!(r#"{{"iss":"i","l":[{}]}}"#, list.join(",")));
        for expression in [&sorts, &sorts_by] {
            let found = expression.evaluate(Input::Claims(&claims), &mut Budget::new());
            assert_eq!(found.unwrap_err().to_string(), "NaN values cannot be ordered");
        }
    }
    let found = outcome(Environment::Claims, "[3, 1, 2, 1].sortBy(x, x % 2)");
    assert_eq!(found, "[2, 3, 1, 1]");
}

#[test]
fn all_expressions_of_a_token_share_a_budget() {
    let claims = claims();
    let compile = |source| Expression::compile(Environment::Claims, source, Returns::Any).unwrap();
    let (dear, plain) = (compile("lists.range(1000000)"), compile("claims.iss"));
    let mut budget = Budget::new();
    for _ in 0..4 {
        assert!(plain.evaluate(Input::Claims(&claims), &mut budget).is_ok() || budget.left() == 0);
        assert!(dear.evaluate(Input::Claims(&claims), &mut budget).is_err());
    }
    assert_eq!(budget.left(), 0);
    let found = plain.evaluate(Input::Claims(&claims), &mut budget);
    assert_eq!(found, Err(EvaluationError::TOO_COSTLY));
}

#[test]
fn values_that_share_parts_are_paid_for_when_they_are_copied() {
    let doubled = ".map(x, [x, x])".repeat(40);
    for source in [
        format!("[1]{doubled}"),
        format!("[1]{doubled} == [1]{doubled}"),
        format!("[[1]{doubled}] == []"),
    ] {
        let found = outcome(Environment::Claims, &source);
        assert!(
            ["error: operation cancelled: actual cost limit exceeded", "false"].contains(&&*found),
            "{found:.200}"
        );
    }
    let deep =
        format!("[1]{}", format!(".map(x, dyn({}x{}))", "[".repeat(90), "]".repeat(90)).repeat(8));
    let found = outcome(Environment::Claims, &deep);
    assert_eq!(found, "error: value is nested too deeply");
}

#[test]
fn no_source_overflows_a_stack() {
    let in_thread = |source: String| {
        let work = move || {
            let expression = Expression::compile(Environment::Claims, &source, Returns::Any);
            let claims = claims();
            let outcome =
                expression.map(|e| e.evaluate(Input::Claims(&claims), &mut Budget::new()).is_ok());
            outcome.map_err(|error| error.to_string())
        };
        // What a worker of the server has.
        let thread = thread::Builder::new().stack_size(2 << 20).spawn(work);
        thread.expect("a thread").join().expect("no panic")
    };
    let around = |n: usize, before: &str, inner: &str, after: &str| {
        format!("{}{inner}{}", before.repeat(n), after.repeat(n))
    };
    for n in [10, 120, 240, 300, 1_000, 4_000, 20_000] {
        for source in [
            around(n, "1+", "1", ""),
            around(n, "''in", "''", ""),
            around(n, "", "claims", ".a"),
            around(n, "", "claims", "[0]"),
            around(n, "", "'a'", ".trim()"),
            around(n, "", "claims", "[?0]"),
            around(n, "(", "1", ")"),
            around(n, "[", "1", "]"),
            around(n, "{1:", "1", "}"),
            around(n, "!(", "true", ")"),
            around(n, "-", "1", ""),
            around(n, "size([", "1", "])"),
            around(n, "true?1:", "1", ""),
            around(n, "true?", "1", ":1"),
            around(n, "true||", "true", ""),
            around(n, "true&&(", "true", ")"),
            around(n, "[1].map(x,", "x", ")"),
            around(n, "[1].all(x,", "true", ")"),
            around(n, "", "[1]", ".map(x,x)"),
            around(n, "", "[[1]]", ".sortBy(x,1)"),
            around(n, "optional.of(", "1", ")"),
            around(n, "", "optional.of(1)", ".optMap(x,x)"),
            around(n, "optional.of(1).optMap(x,", "1", ")"),
            around(n, "", "optional.of(1)", ".or(optional.of(1))"),
            around(n, "[{'a':dyn(", "1", ")}]"),
            around(n, "(", "", ""),
            around(n, "[1 ", "", ""),
            around(n, "a b ", "", ""),
            around(n, "? : ", "", ""),
            around(n, "'", "", ""),
            around(n, "\u{0}\u{ff}", "", ""),
        ] {
            let _ = in_thread(source);
        }
    }
    assert_eq!(in_thread(around(200, "", "'a'", ".trim()")), Ok(true));
    assert_eq!(in_thread(around(200, "1+", "1", "")), Ok(true));
    assert_eq!(in_thread(around(500, "claims.sub=='x'||", "true", "")), Ok(true));
    for (source, text) in [
        (around(5_000, "1+", "1", ""), "operators"),
        (around(300, "1+", "1", ""), "nested more than"),
        (around(260, "(", "1", ")"), "recursion limit exceeded: 250"),
        (format!("'{}'", "a".repeat(40_000)), "code point size exceeds limit"),
    ] {
        let error = in_thread(source).expect_err(text);
        assert!(error.contains(text), "{error:.300}");
    }
}

/// Numbers that look random, the same ones each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }

    fn expression(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self
                .pick(&[
                    "1",
                    "-1",
                    "2u",
                    "1.5",
                    "'a'",
                    "''",
                    "b'x'",
                    "true",
                    "null",
                    "[]",
                    "{}",
                    "x",
                    "y",
                    "claims.sub",
                    "claims.groups",
                    "claims.nested.deep",
                    "claims.?n",
                    "claims.mix",
                    "dyn(claims.groups)",
                    "dyn(claims.nested)",
                    "dyn(1)",
                    "9223372036854775807",
                    "'%s'",
                    "duration('1h')",
                    "timestamp(0)",
                    "optional.none()",
                    "'[a-z]*'",
                    "int",
                    "claims",
                ])
                .to_owned();
        }
        let (one, other) = (self.expression(depth - 1), self.expression(depth - 1));
        match self.roll(12) {
            0 => {
                let operator =
                    self.pick(&["+", "-", "*", "/", "%", "==", "<", ">=", "in", "&&", "||"]);
                format!("({one} {operator} {other})")
            }
            1 => format!("({one} ? {other} : {})", self.expression(depth - 1)),
            2 => {
                let name = self.pick(&[
                    "all",
                    "exists",
                    "exists_one",
                    "map",
                    "filter",
                    "sortBy",
                    "optMap",
                ]);
                format!("{one}.{name}(x, {other})")
            }
            3 => {
                let name = self.pick(&[
                    "all",
                    "exists",
                    "transformList",
                    "transformMap",
                    "transformMapEntry",
                ]);
                format!("dyn({one}).{name}(x, y, {other})")
            }
            4 => format!("[{one}, {other}]"),
            5 => format!("{{{one}: {other}}}"),
            6 => format!("{one}[{other}]"),
            7 => format!("dyn({one})"),
            8 | 9 => {
                let libraries = library::all();
                let function = libraries[self.roll(libraries.len())];
                let third = self.expression(depth - 1);
                match self.roll(4) {
                    0 => format!("{function}({one})"),
                    1 => format!("dyn({one}).{function}()"),
                    2 => format!("dyn({one}).{function}(dyn({other}), dyn({third}))"),
                    _ => format!("dyn({one}).{function}(dyn({other}))"),
                }
            }
            10 => format!("optional.of({one})"),
            _ => format!("dyn({one}).orValue({other})"),
        }
    }
}

#[test]
fn whatever_compiles_ends_within_its_cost() {
    let claims = claims();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut compiled = 0;
    for round in 0..3_000 {
        let depth = 1 + dice.roll(4);
        let mut source = dice.expression(depth);
        if round % 4 == 0 {
            // Spoilt somewhere.
            let at = dice.roll(source.len() + 1);
            let spoil =
                dice.pick(&["(", ")", "'", "[", "?", ".", "é", "\\", "%", "\n", "0x", "//"]);
            source.insert_str(at, spoil);
        }
        let Ok(expression) = Expression::compile(Environment::Claims, &source, Returns::Any) else {
            continue;
        };
        compiled += 1;
        let mut budget = Budget::new();
        let _ = expression.evaluate(Input::Claims(&claims), &mut budget);
        assert!(Budget::TOKEN - budget.left() <= Budget::EXPRESSION, "{source}");
    }
    assert!(compiled > 300, "only {compiled} of them compiled");
}

#[test]
fn expressions_can_be_shared() {
    fn shared<T: Send + Sync + Clone + PartialEq>(_: &T) {}
    let compile = |returns| Expression::compile(Environment::Claims, "claims.t == true", returns);
    let (any, bool) = (compile(Returns::Any).unwrap(), compile(Returns::Bool).unwrap());
    shared(&Arc::new(any.clone()));
    assert_eq!(any, any.clone());
    assert_ne!(any, bool);
    assert_eq!(format!("{any:?}"), r#"Expression("claims.t == true")"#);
}

#[test]
fn sorts_that_fail_end_without_a_panic() {
    let numbers = (0..60)
        .map(|n| if n == 31 { "0.0 / 0.0".to_owned() } else { format!("{}.5", n * 37 % 60) });
    let numbers = numbers.collect::<Vec<_>>().join(", ");
    let source = format!("[{numbers}].sort()");
    assert_eq!(outcome(Environment::Claims, &source), "error: NaN values cannot be ordered");
    // The budget ends somewhere in the middle.
    let (doubled, wanted) =
        (".map(x, x + x)".repeat(17), "error: operation cancelled: actual cost limit exceeded");
    let source = format!(
        "['a']{doubled}.map(big, lists.range(60).map(n, big).sortBy(x, x + string(size(x))))"
    );
    assert_eq!(outcome(Environment::Claims, &source), wanted);
    let source = "lists.range(1000).map(n, n * 7919 % 1000).sortBy(x, -x)[1]";
    assert_eq!(outcome(Environment::Claims, source), "998");
}

#[test]
fn long_texts_are_paid_for_wherever_they_are_looked_at() {
    // 100 KiB for about 20,000; then a thousand looks at it.
    let big = format!("['a']{}[0]", ".map(x, x + x)".repeat(17));
    for each in [
        "[url('https://' + x)].map(u, lists.range(30000).map(n, u))",
        "[url('https://' + x)].map(u, [url('https://' + x)].map(v, lists.range(30000).all(n, u == v)))",
        "[{x: 1}].map(m, lists.range(30000).all(n, m[x] == 1))",
        "[{x: 1}].map(m, lists.range(30000).all(n, x in m))",
        "[{x: 1}].map(m, lists.range(30000).all(n, m == {x: 1}))",
        "lists.range(30000).transformMapEntry(i, n, {x: n})",
    ] {
        let source = format!("[{big}].map(x, {each})");
        let wanted = "error: operation cancelled: actual cost limit exceeded";
        assert_eq!(outcome(Environment::Claims, &source), wanted, "{each}");
    }
}
