package main

import (
	"bytes"
	"io"
	"strings"

	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
)

// writeContract writes gnark's verifier contract under the names that SP1's own wrapper around it calls.
func writeContract(vk *groth16.VerifyingKey, w io.Writer) error {
	var text bytes.Buffer
	if err := vk.ExportSolidity(&text); err != nil {
		return err
	}
	names := strings.NewReplacer(
		"pragma solidity ^0.8.0;", "pragma solidity ^0.8.20;",
		"contract Verifier {", "contract Groth16Verifier {",
		"function verifyProof(", "function Verify(",
	)
	_, err := names.WriteString(w, text.String())
	return err
}
