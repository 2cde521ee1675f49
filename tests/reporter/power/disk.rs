//! Simulates the contents of a disk after a power loss.
//!
//! A write is guaranteed to survive if it was made before the start of a completed flush of its file. Each sector of a
//! later write may or may not survive. A change of a file name is guaranteed to survive if it was made before the start
//! of a completed flush of the folder. Of the later changes of names, all up to some point survive.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::common::SeededRng;
use crate::recording::Step;

/// The size of an atomic write in bytes.
const SECTOR: usize = 512;

/// The effect of the power loss on unflushed data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unflushed {
    Lost,
    Kept,
    /// Each sector is kept or lost at random.
    Torn,
    /// The writes are made in a random order, and each of their sectors is kept or lost at random.
    Shuffled,
}

impl Unflushed {
    pub(crate) const ALL: [Self; 4] = [Self::Lost, Self::Kept, Self::Torn, Self::Shuffled];
}

#[derive(Clone, Default)]
struct FileOnDisk {
    /// The file contents that are guaranteed to survive.
    image: Vec<u8>,
    /// The changes that may or may not survive, each with the number of its step.
    unflushed: Vec<(usize, Change)>,
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

#[derive(Clone)]
enum Naming {
    Create(String, u64),
    Rename(String, String),
    Remove(String),
}

/// A disk to which recorded steps are applied.
#[derive(Default)]
pub(crate) struct Disk {
    files: BTreeMap<u64, FileOnDisk>,
    /// The names that are guaranteed to survive.
    names: BTreeMap<String, u64>,
    /// The changes of names that may or may not survive, each with the number of its step.
    naming: Vec<(usize, Naming)>,
    /// For each flush in progress, the number of the step at which it started.
    flushes: BTreeMap<u64, usize>,
    steps: usize,
}

impl Disk {
    pub(crate) fn step(&mut self, step: &Step) {
        self.steps += 1;
        let number = self.steps;
        match step {
            Step::Write { inode, at, bytes } => self.note(*inode, Change::Write(*at, bytes.clone())),
            Step::Truncate { inode, length } => self.note(*inode, Change::Truncate(*length)),
            Step::FlushBegins { number: flush } => drop(self.flushes.insert(*flush, number)),
            Step::FlushEnds { inode, number: flush, name } => {
                let began = self.flushes.remove(flush).unwrap();
                if name.is_empty() { self.flush_names(began) } else { self.flush(*inode, began) }
            }
            // After a failed flush, Linux marks the data as clean and does not write it again.
            Step::FlushFails { inode, number: flush } => {
                let began = self.flushes.remove(flush).unwrap();
                self.files.entry(*inode).or_default().unflushed.retain(|(made, _)| *made > began);
            }
            Step::Create { name, inode } => self.naming.push((number, Naming::Create(name.clone(), *inode))),
            Step::Rename { from, to } => self.naming.push((number, Naming::Rename(from.clone(), to.clone()))),
            Step::Remove { name } => self.naming.push((number, Naming::Remove(name.clone()))),
            Step::Mark(_) => {}
        }
    }

    fn note(&mut self, inode: u64, change: Change) {
        self.files.entry(inode).or_default().unflushed.push((self.steps, change));
    }

    fn flush(&mut self, inode: u64, began: usize) {
        let file = self.files.entry(inode).or_default();
        let kept = file.unflushed.iter().position(|(made, _)| *made > began).unwrap_or(file.unflushed.len());
        for (_, change) in file.unflushed.drain(..kept).collect::<Vec<_>>() {
            change.apply(&mut file.image, &mut |_| true);
        }
    }

    fn flush_names(&mut self, began: usize) {
        let kept = self.naming.iter().position(|(made, _)| *made > began).unwrap_or(self.naming.len());
        self.naming.drain(..kept).for_each(|(_, naming)| naming.apply(&mut self.names));
    }

    /// Simulates a power loss after the last step, and writes the surviving files to `folder`.
    pub(crate) fn cut(&self, unflushed: Unflushed, rng: &mut SeededRng, folder: &Path) {
        let mut names = self.names.clone();
        let count = match unflushed {
            Unflushed::Lost => 0,
            Unflushed::Kept => self.naming.len(),
            _ => usize::try_from(rng.below(self.naming.len() as u64 + 1)).unwrap(),
        };
        self.naming[..count].iter().for_each(|(_, naming)| naming.apply(&mut names));
        for (name, inode) in names {
            let image = self.files.get(&inode).map(|file| file.after(unflushed, rng)).unwrap_or_default();
            fs::write(folder.join(name), image).unwrap();
        }
    }
}

impl FileOnDisk {
    fn after(&self, unflushed: Unflushed, rng: &mut SeededRng) -> Vec<u8> {
        let mut image = self.image.clone();
        let mut changes: Vec<&Change> = self.unflushed.iter().map(|(_, change)| change).collect();
        if unflushed == Unflushed::Shuffled {
            for last in (1..changes.len()).rev() {
                changes.swap(last, usize::try_from(rng.below(last as u64 + 1)).unwrap());
            }
        }
        // Chooses the probability at random, so sometimes most sectors are kept and sometimes only a few.
        let odds = 1 + rng.below(15);
        let mut keeps = |_: usize| match unflushed {
            Unflushed::Lost => false,
            Unflushed::Kept => true,
            Unflushed::Torn | Unflushed::Shuffled => rng.below(16) < odds,
        };
        changes.iter().for_each(|change| change.apply(&mut image, &mut keeps));
        image
    }
}

impl Change {
    fn apply(&self, image: &mut Vec<u8>, keeps: &mut dyn FnMut(usize) -> bool) {
        match self {
            Self::Truncate(length) if keeps(*length) => image.resize(*length, 0),
            Self::Truncate(_) => {}
            Self::Write(at, bytes) => {
                let mut next = *at;
                while next < at + bytes.len() {
                    let end = ((next / SECTOR + 1) * SECTOR).min(at + bytes.len());
                    if keeps(next) {
                        image.resize(image.len().max(end), 0);
                        image[next..end].copy_from_slice(&bytes[next - at..end - at]);
                    }
                    next = end;
                }
            }
        }
    }
}

impl Naming {
    fn apply(&self, names: &mut BTreeMap<String, u64>) {
        match self {
            Self::Create(name, inode) => drop(names.insert(name.clone(), *inode)),
            Self::Rename(from, to) => {
                if let Some(inode) = names.remove(from) {
                    names.insert(to.clone(), inode);
                }
            }
            Self::Remove(name) => drop(names.remove(name)),
        }
    }
}
