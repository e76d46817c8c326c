package main

import (
	"runtime"
	"sync"

	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Tables of multiples of a generator: digit d of a scalar, at position p, stands for [d * 2^(windowBits*p)]G, which is
// looked up. A product is then one addition per digit, and no doubling.
const (
	windowBits = 12
	windows    = (fr.Bits + windowBits - 1) / windowBits
	perWindow  = 1<<windowBits - 1
	// Products that are brought to affine coordinates together, which shares one inversion.
	batch = 1 << 12
)

type multiplesG1 [windows][]curve.G1Affine

type multiplesG2 [windows][]curve.G2Affine

func newMultiplesG1(generator curve.G1Affine) *multiplesG1 {
	var tables multiplesG1
	var base curve.G1Jac
	base.FromAffine(&generator)
	for position := range tables {
		multiples := make([]curve.G1Jac, perWindow)
		multiples[0] = base
		for i := 1; i < perWindow; i++ {
			multiples[i] = multiples[i-1]
			multiples[i].AddAssign(&base)
		}
		tables[position] = curve.BatchJacobianToAffineG1(multiples)
		base.AddAssign(&multiples[perWindow-1])
	}
	return &tables
}

func newMultiplesG2(generator curve.G2Affine) *multiplesG2 {
	var tables multiplesG2
	var base curve.G2Jac
	base.FromAffine(&generator)
	for position := range tables {
		multiples := make([]curve.G2Jac, perWindow)
		multiples[0] = base
		for i := 1; i < perWindow; i++ {
			multiples[i] = multiples[i-1]
			multiples[i].AddAssign(&base)
		}
		for i := range multiples {
			var affine curve.G2Affine
			affine.FromJacobian(&multiples[i])
			tables[position] = append(tables[position], affine)
		}
		base.AddAssign(&multiples[perWindow-1])
	}
	return &tables
}

// times multiplies the generator by each scalar.
func (tables *multiplesG1) times(scalars []fr.Element) []curve.G1Affine {
	products := make([]curve.G1Affine, len(scalars))
	inBatches(len(scalars), func(start, end int) {
		var points [batch]curve.G1Jac
		for i := start; i < end; i++ {
			product := curve.G1Jac{}
			product.FromAffine(&curve.G1Affine{})
			eachDigit(&scalars[i], func(position, digit int) {
				product.AddMixed(&tables[position][digit-1])
			})
			points[i-start] = product
		}
		copy(products[start:end], curve.BatchJacobianToAffineG1(points[:end-start]))
	})
	return products
}

// times multiplies the generator by each scalar.
func (tables *multiplesG2) times(scalars []fr.Element) []curve.G2Affine {
	products := make([]curve.G2Affine, len(scalars))
	inBatches(len(scalars), func(start, end int) {
		for i := start; i < end; i++ {
			product := curve.G2Jac{}
			product.FromAffine(&curve.G2Affine{})
			eachDigit(&scalars[i], func(position, digit int) {
				product.AddMixed(&tables[position][digit-1])
			})
			products[i].FromJacobian(&product)
		}
	})
	return products
}

// eachDigit calls use with every digit of the scalar that is not zero.
func eachDigit(scalar *fr.Element, use func(position, digit int)) {
	words := scalar.Bits()
	for position := range windows {
		bit := position * windowBits
		digit := words[bit/64] >> (bit % 64)
		if bit%64+windowBits > 64 && bit/64+1 < len(words) {
			digit |= words[bit/64+1] << (64 - bit%64)
		}
		if digit &= perWindow; digit != 0 {
			use(position, int(digit))
		}
	}
}

// inBatches calls work for consecutive ranges of at most batch indices, on all processors.
func inBatches(count int, work func(start, end int)) {
	starts := make(chan int)
	var workers sync.WaitGroup
	for range runtime.NumCPU() {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for start := range starts {
				work(start, min(start+batch, count))
			}
		}()
	}
	for start := 0; start < count; start += batch {
		starts <- start
	}
	close(starts)
	workers.Wait()
}
