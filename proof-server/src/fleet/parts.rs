//! A proof in parts: which messages it takes, and what can be put together with what.
//!
//! A stage that makes a proof from a statement can be done by one worker, or by many: then its message is answered with one for
//! each *shard* of the plan, and whoever finishes a part looks which *fold* can begin. STARKs are put together at once. Recursion
//! proofs are folded in pairs, each pair wherever there is somebody, so that the last fold waits for a few and not for all.

use std::fmt;

use sextant_fleet::{ObjectRef, Part, Stage};
use sextant_protocol::record;

use super::stages;
use crate::worker::WorkerMode;

/// Parts of a proof that are worth it: below, each machine's start takes longer than what it does.
pub(super) const FEWEST: usize = 4;

record! {
/// What a proof is made of, for those who make its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The engine's plan.
    1 = plan: ObjectRef,
    /// The shards' names, in their order.
    2 = names: Vec<String>,
}
}

/// What a message asks of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// All that the stage makes, or its plan.
    Whole,
    /// One shard.
    Shard,
    /// Parts put together.
    Fold,
}

impl Form {
    const ALL: [Self; 3] = [Self::Fold, Self::Shard, Self::Whole];

    /// What workers of `mode` are asked, what is nearly done first.
    pub(super) const fn of(mode: WorkerMode) -> &'static [Self] {
        match mode {
            WorkerMode::Stark | WorkerMode::Compressed => &Self::ALL,
            _ => &[Self::Whole],
        }
    }
}

/// The queue's name of what workers of `mode` are asked in this form.
pub(super) const fn stage(mode: WorkerMode, form: Form) -> Stage {
    Stage::literal(match (mode, form) {
        (WorkerMode::Stark, Form::Shard) => "stark-shard",
        (WorkerMode::Stark, Form::Fold) => "stark-fold",
        (WorkerMode::Compressed, Form::Shard) => "compressed-shard",
        (WorkerMode::Compressed, Form::Fold) => "compressed-fold",
        (mode, _) => mode.as_str(),
    })
}

/// The names of what workers of `stage` are asked: one, or several where what it makes can be made in parts.
pub(super) fn names(stage: &Stage) -> Vec<Stage> {
    let mode = stages::ALL.into_iter().find(|mode| mode.as_str() == stage.as_str());
    let forms = mode.map(|mode| Form::of(mode).iter().map(move |form| self::stage(mode, *form)).collect());
    forms.unwrap_or_else(|| vec![stage.clone()])
}

/// The stage whose workers are asked what is called so.
pub(super) fn worker_of(name: &Stage) -> Stage {
    let stages = stages::ALL.into_iter().map(|mode| stage(mode, Form::Whole));
    stages.into_iter().find(|stage| names(stage).contains(name)).unwrap_or_else(|| name.clone())
}

/// Parts that follow each other, by their places in the plan: from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: usize,
    pub(super) last: usize,
}

impl Span {
    const fn one(place: usize) -> Self {
        Self { first: place, last: place }
    }

    pub(super) const fn is_one(self) -> bool {
        self.first == self.last
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

/// How the parts of one proof are put together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tree {
    count: usize,
    /// Whether two make one.
    paired: bool,
}

impl Tree {
    /// Of `count` shards of what workers of `mode` make.
    pub(super) fn of(mode: WorkerMode, count: usize) -> Self {
        Self { count, paired: mode == WorkerMode::Compressed }
    }

    /// All of them.
    pub(super) const fn root(self) -> Span {
        Span { first: 1, last: self.count }
    }

    /// What is put together to `span`, which is more than one shard.
    pub(super) fn children(self, span: Span) -> Vec<Span> {
        let Span { first, last } = span;
        if self.paired {
            let middle = first + (last - first) / 2;
            vec![Span { first, last: middle }, Span { first: middle + 1, last }]
        } else {
            (first..=last).map(Span::one).collect()
        }
    }

    /// What `span` goes into; `None` of all, and of what is none of this tree's.
    pub(super) fn parent(self, span: Span) -> Option<Span> {
        let mut parent = self.root();
        while !parent.is_one() && parent != span {
            let children = self.children(parent);
            if children.contains(&span) {
                return Some(parent);
            }
            let around = |child: &Span| child.first <= span.first && span.last <= child.last;
            parent = children.into_iter().find(around)?;
        }
        None
    }
}

impl Parts {
    /// The place of what a message names.
    pub(super) fn span(&self, form: Form, part: &Part) -> Option<Span> {
        match form {
            Form::Whole => None,
            Form::Shard => {
                self.names.iter().position(|name| name == part.as_str()).map(|at| Span::one(at + 1))
            }
            Form::Fold => {
                let (first, last) = part.as_str().split_once('-')?;
                let span = Span { first: first.parse().ok()?, last: last.parse().ok()? };
                (span.first >= 1 && span.first < span.last && span.last <= self.names.len()).then_some(span)
            }
        }
    }

    /// The name of what has this place.
    pub(super) fn name(&self, span: Span) -> Option<(Form, Part)> {
        if !span.is_one() {
            return Some((Form::Fold, span.to_string().parse().ok()?));
        }
        Some((Form::Shard, self.names.get(span.first - 1)?.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_made_goes_into_one_fold_and_all_of_it_into_the_proof() {
        for mode in [WorkerMode::Stark, WorkerMode::Compressed] {
            for count in 2..40 {
                let tree = Tree::of(mode, count);
                let mut folds = vec![tree.root()];
                let mut leaves = Vec::new();
                while let Some(fold) = folds.pop() {
                    let children = tree.children(fold);
                    assert_eq!(children[0].first, fold.first);
                    assert_eq!(children[children.len() - 1].last, fold.last);
                    for pair in children.windows(2) {
                        assert_eq!(pair[0].last + 1, pair[1].first);
                    }
                    for child in children {
                        assert_eq!(tree.parent(child), Some(fold), "{child} of {count}");
                        if child.is_one() { leaves.push(child.first) } else { folds.push(child) }
                    }
                }
                leaves.sort_unstable();
                assert_eq!(leaves, (1..=count).collect::<Vec<_>>());
                assert_eq!(tree.parent(tree.root()), None);
                assert_eq!(tree.parent(Span { first: count, last: count + 1 }), None);
            }
        }
    }

    #[test]
    fn a_stage_has_its_parts_names_and_they_are_of_its_workers() {
        let all: Vec<_> = stages::ALL.into_iter().map(|mode| stage(mode, Form::Whole)).collect();
        assert_eq!(all.iter().map(|stage| names(stage).len()).collect::<Vec<_>>(), [3, 3, 1, 1]);
        for stage in &all {
            for name in names(stage) {
                assert_eq!(worker_of(&name), *stage);
            }
        }
        let unknown: Stage = "stark-x".parse().unwrap();
        assert_eq!((names(&unknown), worker_of(&unknown)), (vec![unknown.clone()], unknown));
    }

    #[test]
    fn parts_are_found_by_their_names_and_nothing_else_is() {
        let plan = ObjectRef { name: "parts/plan".parse().unwrap(), length: 0, sha256: [0; 32] };
        let parts = Parts { plan, names: ["p-KECCAK_PERMUTE-1", "c-1", "c-2"].map(String::from).into() };
        for place in 1..=3 {
            let (form, name) = parts.name(Span::one(place)).unwrap();
            assert_eq!(parts.span(form, &name), Some(Span::one(place)));
        }
        let two = Span { first: 2, last: 3 };
        assert_eq!(parts.name(two).unwrap().1.as_str(), "2-3");
        assert_eq!(parts.span(Form::Fold, &"2-3".parse().unwrap()), Some(two));
        for wrong in ["0-1", "3-2", "2-2", "1-4", "1", "x-2"] {
            assert_eq!(parts.span(Form::Fold, &wrong.parse().unwrap()), None, "{wrong}");
        }
        assert_eq!(parts.span(Form::Shard, &"c-3".parse().unwrap()), None);
        assert_eq!(parts.name(Span::one(4)), None);
    }
}
