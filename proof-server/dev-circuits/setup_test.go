package main

import (
	"bytes"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/backend/witness"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
)

// cube says that Y = X^3 + Z + 5 and that the low bits of X sum to Ones.
type cube struct {
	Y, Ones frontend.Variable `gnark:",public"`
	X, Z    frontend.Variable
}

func (c *cube) Define(api frontend.API) error {
	api.AssertIsEqual(c.Y, api.Add(api.Mul(c.X, c.X, c.X), c.Z, 5))
	sum := frontend.Variable(0)
	for _, bit := range api.ToBinary(c.X, 8) {
		sum = api.Add(sum, bit)
	}
	api.AssertIsEqual(c.Ones, sum)
	return nil
}

func values(t *testing.T, assignment *cube, options ...frontend.WitnessOption) witness.Witness {
	t.Helper()
	values, err := frontend.NewWitness(assignment, ecc.BN254.ScalarField(), options...)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// Keys of this set-up, written and read as the prover reads them, make proofs that verify, and of nothing else.
func TestKeysProveAndVerify(t *testing.T) {
	compiled, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, &cube{})
	if err != nil {
		t.Fatal(err)
	}
	circuit := compiled.(*cs.R1CS)
	var made, pk groth16.ProvingKey
	var madeVk, vk groth16.VerifyingKey
	if err := setUp(circuit, &made, &madeVk); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := made.WriteDump(&file); err != nil {
		t.Fatal(err)
	}
	if err := pk.ReadDump(&file); err != nil {
		t.Fatal(err)
	}
	file.Reset()
	if _, err := madeVk.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	if _, err := vk.ReadFrom(&file); err != nil {
		t.Fatal(err)
	}

	proof, err := groth16.Prove(circuit, &pk, values(t, &cube{Y: 36, Ones: 2, X: 3, Z: 4}))
	if err != nil {
		t.Fatal(err)
	}
	public := func(y, ones int) fr.Vector {
		values := values(t, &cube{Y: y, Ones: ones}, frontend.PublicOnly())
		return values.Vector().(fr.Vector)
	}
	if err := groth16.Verify(proof, &vk, public(36, 2)); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range [][2]int{{37, 2}, {36, 1}} {
		if groth16.Verify(proof, &vk, public(wrong[0], wrong[1])) == nil {
			t.Fatal("another statement verifies: ", wrong)
		}
	}
}

// Sizes and places of the keys are those of gnark's own set-up.
func TestKeysHaveGnarksShape(t *testing.T) {
	compiled, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, &cube{})
	if err != nil {
		t.Fatal(err)
	}
	circuit := compiled.(*cs.R1CS)
	var ours, theirs groth16.ProvingKey
	var ourVk, theirVk groth16.VerifyingKey
	if err := setUp(circuit, &ours, &ourVk); err != nil {
		t.Fatal(err)
	}
	if err := groth16.Setup(circuit, &theirs, &theirVk); err != nil {
		t.Fatal(err)
	}
	for i, lengths := range [][2]int{
		{len(ours.G1.A), len(theirs.G1.A)},
		{len(ours.G1.B), len(theirs.G1.B)},
		{len(ours.G1.K), len(theirs.G1.K)},
		{len(ours.G1.Z), len(theirs.G1.Z)},
		{len(ours.G2.B), len(theirs.G2.B)},
		{len(ourVk.G1.K), len(theirVk.G1.K)},
		{len(ourVk.CommitmentKeys), len(theirVk.CommitmentKeys)},
		{len(ourVk.PublicAndCommitmentCommitted), len(theirVk.PublicAndCommitmentCommitted)},
	} {
		if lengths[0] != lengths[1] {
			t.Fatal("part ", i, ": ", lengths)
		}
	}
	for i := range ours.InfinityA {
		if ours.InfinityA[i] != theirs.InfinityA[i] || ours.InfinityB[i] != theirs.InfinityB[i] {
			t.Fatal("wire ", i)
		}
	}
}

// Products from tables are the curve's own, for scalars at every edge of the tables.
func TestMultiples(t *testing.T) {
	_, _, g1, g2 := curve.Generators()
	scalars := make([]fr.Element, 0, 2*batch)
	for bit := range fr.Bits - 1 {
		var power, one, below fr.Element
		one.SetOne()
		power.SetOne()
		for range bit {
			power.Double(&power)
		}
		below.Sub(&power, &one)
		scalars = append(scalars, power, below, *below.Neg(&power))
	}
	for len(scalars) < batch+10 {
		var random fr.Element
		if _, err := random.SetRandom(); err != nil {
			t.Fatal(err)
		}
		scalars = append(scalars, random)
	}
	theirs1, theirs2 := curve.BatchScalarMultiplicationG1(&g1, scalars), curve.BatchScalarMultiplicationG2(&g2, scalars)
	ours1, ours2 := newMultiplesG1(g1).times(scalars), newMultiplesG2(g2).times(scalars)
	for i := range scalars {
		if !ours1[i].Equal(&theirs1[i]) || !ours2[i].Equal(&theirs2[i]) {
			t.Fatal("scalar ", i, ": ", scalars[i].String())
		}
	}
}
