// Command dev-circuits makes the keys of SP1's Groth16 circuit for tests.
//
// What it prints as keys is worth nothing to anybody else: the secrets of the set-up were in this process. gnark has a
// set-up of its own, which multiplies every point from scratch and keeps all of them several times: on two cores it
// takes an hour and more than 24 GB. This one looks multiples up in tables (see multiples.go) and takes minutes.
//
// Usage: dev-circuits FOLDER. The folder holds the circuit's constraints and some witness of it, as SP1 writes them.
// Each file is written aside and renamed; the circuit, which takes a while to compile, is not compiled twice.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/consensys/gnark-crypto/ecc"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/succinctlabs/sp1-recursion-gnark/sp1"
)

// Names of files, as SP1 has them.
const (
	constraintsFile = "constraints.json"
	witnessFile     = "groth16_witness.json"
	circuitFile     = "groth16_circuit.bin"
	provingKeyFile  = "groth16_pk.bin"
	verifyingFile   = "groth16_vk.bin"
	contractFile    = "Groth16Verifier.sol"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: dev-circuits FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(folder string) error {
	circuit := new(cs.R1CS)
	path := filepath.Join(folder, circuitFile)
	if _, err := os.Stat(path); err != nil {
		if err := timed("circuit", func() error { return compile(folder) }); err != nil {
			return err
		}
		// What compiling left behind is as large as all that follows.
		runtime.GC()
	}
	if err := read(path, circuit); err != nil {
		return err
	}
	var pk groth16.ProvingKey
	var vk groth16.VerifyingKey
	if err := timed("keys", func() error { return setUp(circuit, &pk, &vk) }); err != nil {
		return err
	}
	for _, file := range []struct {
		name string
		to   func(io.Writer) error
	}{
		{contractFile, func(w io.Writer) error { return writeContract(&vk, w) }},
		{provingKeyFile, func(w io.Writer) error { return pk.WriteDump(w) }},
		// Last, because folders with it are complete.
		{verifyingFile, func(w io.Writer) error { _, err := vk.WriteTo(w); return err }},
	} {
		if err := write(filepath.Join(folder, file.name), file.to); err != nil {
			return err
		}
	}
	return nil
}

// compile turns SP1's constraints into rank-1 constraints.
func compile(folder string) error {
	witness, err := os.ReadFile(filepath.Join(folder, witnessFile))
	if err != nil {
		return err
	}
	// Only its lengths matter here.
	var input sp1.WitnessInput
	if err := json.Unmarshal(witness, &input); err != nil {
		return fmt.Errorf("%s: %w", witnessFile, err)
	}
	os.Setenv("CONSTRAINTS_JSON", filepath.Join(folder, constraintsFile))
	os.Setenv("GROTH16", "1")
	circuit := sp1.NewCircuit(input)
	compiled, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, &circuit)
	if err != nil {
		return err
	}
	return write(filepath.Join(folder, circuitFile), func(w io.Writer) error {
		_, err := compiled.WriteTo(w)
		return err
	})
}

func timed(what string, work func() error) error {
	start := time.Now()
	err := work()
	fmt.Fprintf(os.Stderr, "  %s: %.0f s\n", what, time.Since(start).Seconds())
	return err
}

func read(path string, into io.ReaderFrom) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = into.ReadFrom(bufio.NewReaderSize(file, 1<<20))
	return err
}

// write leaves the whole file under its name, or nothing.
func write(path string, content func(io.Writer) error) error {
	aside := path + ".part"
	file, err := os.Create(aside)
	if err != nil {
		return err
	}
	defer file.Close()
	buffer := bufio.NewWriterSize(file, 1<<20)
	if err := content(buffer); err != nil {
		return err
	}
	if err := buffer.Flush(); err != nil {
		return err
	}
	return os.Rename(aside, path)
}
