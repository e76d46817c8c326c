package main

import (
	"errors"
	"math/big"

	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
)

// secrets are what whoever knows them can forge with. Names as in Groth's paper (eprint 2016/260), tau for its x.
type secrets struct {
	tau, alpha, beta, gamma, delta fr.Element
}

func newSecrets() (secrets, error) {
	var s secrets
	for _, secret := range []*fr.Element{&s.tau, &s.alpha, &s.beta, &s.gamma, &s.delta} {
		for secret.IsZero() {
			if _, err := secret.SetRandom(); err != nil {
				return s, err
			}
		}
	}
	return s, nil
}

// setUp fills in both keys, laid out as gnark's prover and verifier read them.
func setUp(circuit *cs.R1CS, pk *groth16.ProvingKey, vk *groth16.VerifyingKey) error {
	if commitments, ok := circuit.CommitmentInfo.(constraint.Groth16Commitments); ok && len(commitments) > 0 {
		return errors.New("the circuit has commitments, which this set-up does not make keys for")
	}
	s, err := newSecrets()
	if err != nil {
		return err
	}
	domain := fft.NewDomain(uint64(circuit.GetNbConstraints()))
	a, b, c := wiresAtTau(circuit, domain, &s.tau)

	var gammaInverse, deltaInverse fr.Element
	gammaInverse.Inverse(&s.gamma)
	deltaInverse.Inverse(&s.delta)

	// K: (beta A + alpha B + C) / gamma for public wires, / delta for private ones. It takes C's place.
	public := circuit.GetNbPublicVariables()
	for i := range c {
		var term fr.Element
		c[i].Add(&c[i], term.Mul(&a[i], &s.beta))
		c[i].Add(&c[i], term.Mul(&b[i], &s.alpha))
		if i < public {
			c[i].Mul(&c[i], &gammaInverse)
		} else {
			c[i].Mul(&c[i], &deltaInverse)
		}
	}

	_, _, g1, g2 := curve.Generators()
	inG1, inG2 := newMultiplesG1(g1), newMultiplesG2(g2)
	singles := inG1.times([]fr.Element{s.alpha, s.beta, s.delta})
	pk.G1.Alpha, pk.G1.Beta, pk.G1.Delta = singles[0], singles[1], singles[2]
	pairs := inG2.times([]fr.Element{s.beta, s.gamma, s.delta})
	pk.G2.Beta, pk.G2.Delta = pairs[0], pairs[2]

	vk.G1.K, pk.G1.K = inG1.times(c[:public]), inG1.times(c[public:])
	c = nil
	a, pk.InfinityA, pk.NbInfinityA = withoutZeros(a)
	pk.G1.A = inG1.times(a)
	a = nil
	b, pk.InfinityB, pk.NbInfinityB = withoutZeros(b)
	pk.G1.B = inG1.times(b)
	pk.G2.B = inG2.times(b)
	b = nil
	pk.G1.Z = inG1.times(vanishing(domain, &s.tau, &deltaInverse))
	pk.Domain = *domain

	vk.G1.Alpha, vk.G1.Beta, vk.G1.Delta = pk.G1.Alpha, pk.G1.Beta, pk.G1.Delta
	vk.G2.Beta, vk.G2.Gamma, vk.G2.Delta = pairs[0], pairs[1], pairs[2]
	vk.PublicAndCommitmentCommitted = [][]int{}
	return vk.Precompute()
}

// wiresAtTau evaluates at tau, for each wire, the polynomials that interpolate its coefficients in the left, right and
// output sides of the constraints.
func wiresAtTau(circuit *cs.R1CS, domain *fft.Domain, tau *fr.Element) (a, b, c []fr.Element) {
	wires := circuit.NbInternalVariables + circuit.GetNbPublicVariables() + circuit.GetNbSecretVariables()
	a, b, c = make([]fr.Element, wires), make([]fr.Element, wires), make([]fr.Element, wires)
	lagrange := lagrangeAtTau(domain, tau, circuit.GetNbConstraints())
	add := func(sums []fr.Element, terms []constraint.Term, value *fr.Element) {
		for _, term := range terms {
			var product fr.Element
			product.Mul(&circuit.Coefficients[term.CoeffID()], value)
			sum := &sums[term.WireID()]
			sum.Add(sum, &product)
		}
	}
	constraints := circuit.GetR1CIterator()
	for i := range lagrange {
		r1c := constraints.Next()
		add(a, r1c.L, &lagrange[i])
		add(b, r1c.R, &lagrange[i])
		add(c, r1c.O, &lagrange[i])
	}
	return a, b, c
}

// lagrangeAtTau evaluates the first polynomials of the domain's Lagrange basis at tau:
// L_i(tau) = w^i (tau^n - 1) / (n (tau - w^i)).
func lagrangeAtTau(domain *fft.Domain, tau *fr.Element, count int) []fr.Element {
	distances := make([]fr.Element, count)
	power := fr.One()
	for i := range distances {
		distances[i].Sub(tau, &power)
		power.Mul(&power, &domain.Generator)
	}
	lagrange := fr.BatchInvert(distances)
	factor := atVanishing(domain, tau)
	factor.Mul(&factor, &domain.CardinalityInv)
	for i := range lagrange {
		lagrange[i].Mul(&lagrange[i], &factor)
		factor.Mul(&factor, &domain.Generator)
	}
	return lagrange
}

// vanishing gives tau^i (tau^n - 1) / delta for i below n - 1, in the bit-reversed order in which gnark's prover has the
// quotient's coefficients.
func vanishing(domain *fft.Domain, tau, deltaInverse *fr.Element) []fr.Element {
	scalars := make([]fr.Element, domain.Cardinality)
	term := atVanishing(domain, tau)
	term.Mul(&term, deltaInverse)
	for i := range scalars {
		scalars[i] = term
		term.Mul(&term, tau)
	}
	fft.BitReverse(scalars)
	return scalars[:len(scalars)-1]
}

// atVanishing is tau^n - 1.
func atVanishing(domain *fft.Domain, tau *fr.Element) fr.Element {
	var value fr.Element
	one := fr.One()
	value.Exp(*tau, new(big.Int).SetUint64(domain.Cardinality))
	value.Sub(&value, &one)
	return value
}

// withoutZeros takes out the zeros, whose multiples are no affine points, and says where they were.
func withoutZeros(scalars []fr.Element) (rest []fr.Element, wasZero []bool, zeros uint64) {
	wasZero = make([]bool, len(scalars))
	rest = scalars[:0]
	for i := range scalars {
		if wasZero[i] = scalars[i].IsZero(); wasZero[i] {
			zeros++
		} else {
			rest = append(rest, scalars[i])
		}
	}
	return rest, wasZero, zeros
}
