//! Puts all mutants of a file beside the code that they change. Each stands on lines of its own, by which what the compiler
//! says of it is known to be of it.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use anyhow::{Context, Result};
use syn::{
    Expr, ReturnType, Signature,
    spanned::Spanned,
    visit::{self, Visit},
};

use crate::list::{Genre, Mutant};

/// A file with its mutants.
#[derive(Default)]
pub struct Woven {
    pub text: String,
    /// The lines, from 1, of each mutant.
    pub lines: Vec<(Range<usize>, u32)>,
    /// The lines of each place, and the mutants of it.
    pub places: Vec<(Range<usize>, Vec<u32>)>,
    /// What is evaluated when the program is compiled, and what returns a type that only the body tells.
    pub apart: Vec<u32>,
    /// What no compiler takes: `let` beside `||`.
    pub never: Vec<u32>,
}

/// Weaves numbered mutants into `text`. Functions named in `constant` are needed at compile time.
pub fn weave(text: &str, mutants: &[(u32, &Mutant)], constant: &HashSet<String>) -> Result<Woven> {
    let mut places = Places {
        constant,
        text: text.to_owned(),
        mutants: HashMap::new(),
        compile_time: 0,
        found: Vec::new(),
        apart: Vec::new(),
        never: Vec::new(),
    };
    for (number, mutant) in mutants {
        let replaced = mutant.replaced(text);
        places.mutants.entry((replaced.start, replaced.end)).or_default().push((*number, mutant));
    }
    places.visit_file(&syn::parse_file(text).context("not Rust")?);
    // What has no place is of a kind that is not known here.
    places.apart.extend(places.mutants.values().flatten().map(|(number, _)| number));
    let mut woven = emit(&places.text, places.found);
    (woven.apart, woven.never) = (places.apart, places.never);
    Ok(woven)
}

/// Where mutants are put, and what stands before and after.
struct Place {
    range: Range<usize>,
    before: Vec<(String, Option<u32>)>,
    after: Vec<(String, Option<u32>)>,
    mutants: Vec<u32>,
}

struct Places<'a> {
    constant: &'a HashSet<String>,
    text: String,
    /// Those without a place yet, by what they replace.
    mutants: HashMap<(usize, usize), Vec<(u32, &'a Mutant)>>,
    /// How many expressions around this are evaluated by the compiler.
    compile_time: usize,
    found: Vec<Place>,
    apart: Vec<u32>,
    never: Vec<u32>,
}

impl<'a> Places<'a> {
    /// The mutants that replace `range`; those that cannot be switched here are put aside.
    fn take(&mut self, range: Range<usize>, genre: Genre, apart: bool) -> Vec<(u32, &'a Mutant)> {
        let Some(here) = self.mutants.get_mut(&(range.start, range.end)) else { return Vec::new() };
        let taken: Vec<_> = here.extract_if(.., |(_, mutant)| mutant.genre == genre).collect();
        if apart || self.compile_time > 0 {
            self.apart.extend(taken.iter().map(|(number, _)| number));
            return Vec::new();
        }
        taken
    }

    /// `whole` or, if one of `mutants` is on, its text with that change.
    fn switch(&mut self, whole: Range<usize>, mutants: Vec<(u32, &Mutant)>) {
        let Some(((last, _), _)) = mutants.split_last() else { return };
        let numbers: Vec<_> = mutants.iter().map(|(number, _)| *number).collect();
        let before = vec![(format!("(if crate::mutant::off(&{numbers:?}) {{ "), None)];
        let mut after = vec![(" }\n".to_owned(), None)];
        for (number, mutant) in &mutants {
            let replaced = mutant.replaced(&self.text);
            let (head, tail) = (&self.text[whole.start..replaced.start], &self.text[replaced.end..whole.end]);
            let condition =
                if number == last { String::new() } else { format!("if crate::mutant::is({number}) ") };
            let replacement = &mutant.replacement;
            let changed = match mutant.genre {
                // `a as u64 < b` is no comparison.
                Genre::BinaryOperator => format!("({head}) {replacement} ({tail})"),
                _ => format!("{head}{replacement}{tail}"),
            };
            after.push((format!("else {condition}{{ {changed} }}\n"), Some(*number)));
        }
        after.push((")".to_owned(), None));
        self.found.push(Place { range: whole, before, after, mutants: numbers });
    }

    /// A body that returns at once if one of its mutants is on.
    fn body(&mut self, signature: &Signature, block: &syn::Block) {
        let (Some(first), Some(last)) = (block.stmts.first(), block.stmts.last()) else { return };
        let range = first.span().byte_range().start..last.span().byte_range().end;
        let constant = signature.constness.is_some() && self.constant.contains(&signature.ident.to_string());
        if let Some(word) = signature.constness.filter(|_| !constant)
            && self.mutants.keys().any(|(start, end)| range.start <= *start && *end <= range.end)
        {
            // Bytes stay where they are.
            let word = word.span().byte_range();
            self.text.replace_range(word.clone(), &" ".repeat(word.len()));
        }
        let around = std::mem::replace(&mut self.compile_time, usize::from(constant));
        let mutants = self.take(range.clone(), Genre::FnValue, returns_impl(&signature.output));
        if !mutants.is_empty() {
            let mut before = vec![("\n".to_owned(), None)];
            for (number, mutant) in &mutants {
                let value = &mutant.replacement;
                before
                    .push((format!("if crate::mutant::is({number}) {{ return {value}; }}\n"), Some(*number)));
            }
            let mutants = mutants.iter().map(|(number, _)| *number).collect();
            self.found.push(Place { range, before, after: Vec::new(), mutants });
        }
        visit::visit_block(self, block);
        self.compile_time = around;
    }

    fn at_compile_time(&mut self, visit: impl FnOnce(&mut Self)) {
        self.compile_time += 1;
        visit(self);
        self.compile_time -= 1;
    }
}

impl<'ast> Visit<'ast> for Places<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.body(&item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.body(&item.sig, &item.block);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.body(&item.sig, block);
        }
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.at_compile_time(|places| visit::visit_item_const(places, item));
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.at_compile_time(|places| visit::visit_item_static(places, item));
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.at_compile_time(|places| visit::visit_impl_item_const(places, item));
    }

    fn visit_expr_const(&mut self, expression: &'ast syn::ExprConst) {
        self.at_compile_time(|places| visit::visit_expr_const(places, expression));
    }

    fn visit_type_array(&mut self, array: &'ast syn::TypeArray) {
        self.at_compile_time(|places| visit::visit_type_array(places, array));
    }

    fn visit_expr_repeat(&mut self, array: &'ast syn::ExprRepeat) {
        self.visit_expr(&array.expr);
        self.at_compile_time(|places| places.visit_expr(&array.len));
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        let mutants = self.take(binary.op.span().byte_range(), Genre::BinaryOperator, false);
        if has_let(&binary.left) || has_let(&binary.right) {
            self.never.extend(mutants.iter().map(|(number, _)| number));
        } else {
            self.switch(binary.span().byte_range(), mutants);
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast syn::ExprUnary) {
        let mutants = self.take(unary.op.span().byte_range(), Genre::UnaryOperator, false);
        self.switch(unary.span().byte_range(), mutants);
        visit::visit_expr_unary(self, unary);
    }

    fn visit_expr_struct(&mut self, literal: &'ast syn::ExprStruct) {
        let mut mutants = Vec::new();
        for field in literal.fields.pairs() {
            let start = field.value().span().byte_range().start;
            let end = field.punct().map_or(field.value().span(), |comma| comma.span()).byte_range().end;
            mutants.extend(self.take(start..end, Genre::StructField, false));
        }
        self.switch(literal.span().byte_range(), mutants);
        visit::visit_expr_struct(self, literal);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        let mutants = self.take(arm.span().byte_range(), Genre::MatchArm, false);
        if let [(number, _)] = mutants[..] {
            let end = arm.pat.span().byte_range().end;
            let guard = (format!("\nif !crate::mutant::is({number})\n"), Some(number));
            self.found.push(Place {
                range: end..end,
                before: vec![guard],
                after: Vec::new(),
                mutants: vec![number],
            });
        }
        if let Some((_, guard)) = &arm.guard {
            let range = guard.span().byte_range();
            let mutants = self.take(range.clone(), Genre::MatchArmGuard, has_let(guard));
            self.switch(range, mutants);
        }
        visit::visit_arm(self, arm);
    }
}

/// A condition with `let` can be put into no parentheses.
fn has_let(expression: &Expr) -> bool {
    match expression {
        Expr::Let(_) => true,
        Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

/// Whether all that a function returns has to be of one type that is not named.
fn returns_impl(output: &ReturnType) -> bool {
    struct Impl(bool);
    impl Visit<'_> for Impl {
        fn visit_type_impl_trait(&mut self, _: &syn::TypeImplTrait) {
            self.0 = true;
        }
    }
    let mut found = Impl(false);
    found.visit_return_type(output);
    found.0
}

fn emit(text: &str, mut places: Vec<Place>) -> Woven {
    let mut woven = Woven::default();
    // What is around another begins first; of two at one place, that which was found first is around.
    places.sort_by_key(|place| (place.range.start, std::cmp::Reverse(place.range.end)));
    let mut copied = 0;
    let mut open: Vec<(Place, usize)> = Vec::new();
    for place in places {
        close(&mut woven, text, &mut copied, &mut open, place.range.start);
        woven.copy(&text[copied..place.range.start]);
        copied = place.range.start;
        let line = woven.line();
        woven.write(&place.before);
        open.push((place, line));
    }
    close(&mut woven, text, &mut copied, &mut open, text.len());
    woven.copy(&text[copied..]);
    woven
}

/// Ends the places that end before `until`.
fn close(woven: &mut Woven, text: &str, copied: &mut usize, open: &mut Vec<(Place, usize)>, until: usize) {
    while let Some((place, line)) = open.pop_if(|(place, _)| place.range.end <= until) {
        woven.copy(&text[*copied..place.range.end]);
        *copied = place.range.end;
        woven.write(&place.after);
        woven.places.push((line..woven.line() + 1, place.mutants));
    }
}

impl Woven {
    fn copy(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn line(&self) -> usize {
        self.text.matches('\n').count() + 1
    }

    fn write(&mut self, pieces: &[(String, Option<u32>)]) {
        for (piece, mutant) in pieces {
            let first = self.line();
            self.text.push_str(piece);
            if let Some(number) = mutant {
                self.lines.push((first..self.line(), *number));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `text` with one mutant for each of `changes`: a genre, what is replaced, and by what.
    fn woven(text: &str, changes: &[(&str, &str, &str)]) -> Woven {
        let mutants: Vec<Mutant> = changes
            .iter()
            .map(|(genre, replaced, replacement)| {
                let start = text.find(replaced).expect("it is in the text");
                // One line: bytes are columns.
                let position = |offset| serde_json::json!({ "line": 1, "column": offset + 1 });
                let span =
                    serde_json::json!({ "start": position(start), "end": position(start + replaced.len()) });
                let json = serde_json::json!({
                    "name": "a.rs", "file": "a.rs", "span": span, "replacement": replacement, "genre": genre,
                });
                serde_json::from_value(json).expect("a mutant")
            })
            .collect();
        let numbered: Vec<_> = (0..).zip(&mutants).collect();
        weave(text, &numbered, &HashSet::new()).expect("it is Rust")
    }

    /// Its text in one line.
    fn line(woven: &Woven) -> String {
        woven.text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn operators_of_one_expression_are_switched_each() {
        let woven = woven(
            "fn f(a: u8) -> bool { a < 1 || !g(a) }",
            &[
                ("BinaryOperator", "<", "=="),
                ("BinaryOperator", "<", ">"),
                ("BinaryOperator", "||", "&&"),
                ("UnaryOperator", "!", ""),
                ("FnValue", "a < 1 || !g(a)", "true"),
            ],
        );
        assert_eq!(
            line(&woven),
            "fn f(a: u8) -> bool { if crate::mutant::is(4) { return true; } \
             (if crate::mutant::off(&[2]) { \
             (if crate::mutant::off(&[0, 1]) { a < 1 } else if crate::mutant::is(0) { (a ) == ( 1) } else { (a ) > ( 1) } ) || \
             (if crate::mutant::off(&[3]) { !g(a) } else { g(a) } ) } \
             else { (a < 1 ) && ( !g(a)) } ) }"
        );
        // Each is alone on its lines.
        assert_eq!(woven.lines.iter().map(|(lines, _)| lines.len()).collect::<Vec<_>>(), [1; 5]);
        assert_eq!(woven.lines.iter().map(|(lines, _)| lines.start).collect::<HashSet<_>>().len(), 5);
    }

    #[test]
    fn arms_guards_and_fields_are_switched() {
        let woven = woven(
            "fn f(a: u8) -> S { match a { 1 => b(), 2 if c() => d(), _ => S { e: 3, ..g() } } }",
            &[("MatchArm", "1 => b(),", ""), ("MatchArmGuard", "c()", "false"), ("StructField", "e: 3,", "")],
        );
        assert_eq!(
            line(&woven),
            "fn f(a: u8) -> S { match a { 1 if !crate::mutant::is(0) => b(), \
             2 if (if crate::mutant::off(&[1]) { c() } else { false } ) => d(), \
             _ => (if crate::mutant::off(&[2]) { S { e: 3, ..g() } } else { S { ..g() } } ) } }"
        );
    }

    #[test]
    fn what_the_compiler_evaluates_is_apart() {
        let constant = woven("const A: u8 = 1 + 2;", &[("BinaryOperator", "+", "-")]);
        assert_eq!((constant.apart, &*constant.text), (vec![0], "const A: u8 = 1 + 2;"));
        let function = woven("const fn f() -> u8 { 1 + 2 }", &[("BinaryOperator", "+", "-")]);
        assert!(function.apart.is_empty() && function.text.starts_with("      fn f()"), "{}", function.text);
        let returned = woven("fn f() -> impl Ord { 1 }", &[("FnValue", "1", "2")]);
        assert_eq!(returned.apart, [0]);
        let chained =
            woven("fn f() -> bool { if let A = a() && b() { c() } }", &[("BinaryOperator", "&&", "||")]);
        assert_eq!(chained.never, [0]);
    }
}
