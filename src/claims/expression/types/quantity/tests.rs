use super::super::golden::{self, Arguments, bool, check, double, int, shown};
use super::*;

/// Each row's expression, by its own text.
fn answer(expression: &str, args: &Arguments) -> String {
    let read = |index| args.text(index).parse::<Quantity>();
    let float =
        |sum: Result<Quantity, _>| shown(sum, |sum: Quantity| double(sum.as_approximate_float()));
    let both = |join: &dyn Fn(Quantity, Quantity) -> String| {
        golden::shown(read(0).and_then(|a| Ok((a, read(1)?))), |(a, b)| join(a, b))
    };
    match expression {
        "isQuantity(a)" => bool(Quantity::is_quantity(args.text(0))),
        "sign(quantity(a))" => shown(read(0), |a| int(a.sign())),
        "quantity(a).isInteger()" => shown(read(0), |a| bool(a.is_integer())),
        "quantity(a).asInteger()" => shown(read(0).and_then(|a| a.as_integer()), int),
        "quantity(a).asApproximateFloat()" => float(read(0)),
        "quantity(a).compareTo(quantity(b))" => both(&|a, b| int(a.cmp(&b) as i64)),
        "quantity(a).isLessThan(quantity(b))" => both(&|a, b| bool(a < b)),
        "quantity(a).isGreaterThan(quantity(b))" => both(&|a, b| bool(a > b)),
        "quantity(a) == quantity(b)" => both(&|a, b| bool(a == b)),
        "quantity(a).add(quantity(b)).asApproximateFloat()" => both(&|a, b| float(a.plus(&b))),
        "quantity(a).sub(quantity(b)).asApproximateFloat()" => both(&|a, b| float(a.minus(&b))),
        "quantity(a).add(quantity(b)).isInteger()" => {
            both(&|a, b| shown(a.plus(&b), |sum| bool(sum.is_integer())))
        }
        "quantity(a).add(b).asInteger()" => {
            let sum = read(0).and_then(|a| a.plus_integer(args.int(1)));
            shown(sum.and_then(|sum| sum.as_integer()), int)
        }
        "quantity(a).sub(b).asApproximateFloat()" => {
            float(read(0).and_then(|a| a.minus_integer(args.int(1))))
        }
        other => panic!("{other}"),
    }
}

#[test]
fn it_answers_as_kubernetes_does() {
    check(include_str!("../golden/quantity.jsonl"), answer);
}

/// What upstream would multiply out, or take seconds to read.
#[test]
fn no_exponent_is_multiplied_out() {
    let read = |text: &str| text.parse::<Quantity>().expect(text);
    let huge = read("1e1000000000");
    let tiny = read("1e-1000000000");
    assert!(huge > read("9E") && read("1n") == tiny, "rounded up to the least there is");
    assert!(huge.as_approximate_float().is_infinite());
    assert_eq!(huge, read("10e999999999"));
    assert!(!huge.is_integer());
    assert_eq!(huge.plus(&read("1")).unwrap_err(), QuantityError::TooLong);
    assert_eq!(read("1").minus(&huge).unwrap_err(), QuantityError::TooLong);
    assert_eq!(huge.plus(&read("0")).expect("nothing to add"), huge);
    let long = read("1234567890123456789012e2000000000");
    assert!(long > huge && long.as_approximate_float().is_infinite());
    assert_eq!(read("-1234567890123456789e-2000000000"), read("-1n"));
    let nines = "9".repeat(MAX_DIGITS);
    assert!(read(&nines) > read("1e4095") && read(&nines) < read("1e4096"));
    assert_eq!(format!("{nines}9").parse::<Quantity>().unwrap_err(), QuantityError::Numeric);
    assert_eq!(read(&nines).plus_integer(1).unwrap_err(), QuantityError::TooLong);
    let zeros = "0".repeat(MAX_DIGITS * 4);
    assert_eq!(read(&format!("{zeros}5")), read("5"));
}
