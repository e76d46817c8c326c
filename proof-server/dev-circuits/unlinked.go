package main

// Inverses that SP1's circuit asks its Rust half for while it finds a witness. This program only compiles the circuit.

/*
#include <stdint.h>
#include <stdlib.h>
uint32_t koalabearextinv(uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t i) { abort(); }
uint32_t koalabearinv(uint32_t a) { abort(); }
*/
import "C"
