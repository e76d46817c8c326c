//! Stateless validation of Ethereum execution blocks, free of I/O: the third statement that Sextant proves.
#![no_std]
extern crate alloc;
