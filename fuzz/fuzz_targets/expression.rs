//! Expressions: what is compiled is the same in every place that takes it, and what is refused says so
//! in bounded words. libFuzzer watches time (`-timeout`), and memory with the stack.

#![no_main]

use countersign::claims::expression::{CompileError, Environment, Expression, Returns};

/// As many mistakes as are shown, each with its line and as many dots, which may be three bytes each.
fn longest_error(source: &str) -> usize {
    101 * (4 * source.len() + 2000)
}

libfuzzer_sys::fuzz_target!(|source: &str| {
    for environment in [Environment::Claims, Environment::User] {
        let compile = |returns| Expression::compile(environment, source, returns);
        let any = compile(Returns::Any);
        match &any {
            Ok(expression) => {
                assert_eq!(expression.source(), source);
                let is_claims = environment == Environment::Claims;
                assert!(is_claims || !expression.reads_claim("email"), "there are no claims");
            }
            Err(error) => {
                let text = error.to_string();
                assert!(text.len() <= longest_error(source), "{} bytes of error", text.len());
                assert!(!text.contains("no thread to compile in"), "the compiler panicked");
            }
        }
        let mut accepted = 0;
        for (returns, wanted) in
            [(Returns::Bool, "must evaluate to bool"), (Returns::String, "must evaluate to string")]
        {
            match (compile(returns), &any) {
                (Ok(_), any) => {
                    accepted += 1;
                    assert!(any.is_ok(), "{returns:?} is a case of any");
                }
                (Err(CompileError::Invalid(text)), _) if text == wanted => {}
                (Err(error), any) => assert_eq!(Some(&error), any.as_ref().err(), "{returns:?}"),
            }
        }
        assert!(accepted < 2, "nothing is a boolean and a string");
    }
});
