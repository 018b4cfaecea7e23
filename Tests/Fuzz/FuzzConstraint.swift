// with Sources/GraftInference/Constraints
// with Sources/GraftInference/Logits.swift
// patience 120
import GraftTensor
import GraftTokenizers

/// Any expression and any schema is parsed or refused. Of one that is parsed, each byte leads to
/// where a text may end, or some other byte leads on: no text runs into a wall. Nor does one of
/// tokens, which are pieces of the input.
///
/// The input is a constraint as JSON; or else, behind a byte 0xFF, which is in no UTF-8, the bytes
/// of an expression. It may cost all the steps that constraints have, twice: half a minute here,
/// where each is watched, and more beside other work.
@c(LLVMFuzzerTestOneInput)
public func fuzzConstraint(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    do throws(GraftError) {
        let rules =
            bytes.first == 0xFF
            ? [try ExpressionParser.parse(String(decoding: bytes.dropFirst(), as: UTF8.self)) { .characters($0) }]
            : try Grammar.rules(String(decoding: bytes, as: UTF8.self))
        let automaton = try ByteAutomaton(rules, bytes: Array(repeating: true, count: 256))
        guard automaton.canEnd else { return 0 }
        try walk(AutomatonStates(automaton), choosing: bytes)
        try walkTokens(rules, choosing: bytes)
    } catch {
        precondition(!error.message.isEmpty, "an error that says nothing")
    }
    return 0
}

/// Goes on with bytes that the input chooses among those that may come.
private func walk(_ given: AutomatonStates, choosing bytes: [UInt8]) throws(GraftError) {
    var (states, state) = (given, given.start)
    precondition(state >= 0, "a text that can end cannot begin")
    for choice in bytes.prefix(48) {
        var next: Int32 = AutomatonStates.none
        for step in 0...255 where next < 0 { next = try states.next(state, choice &+ UInt8(step)) }
        guard next >= 0 else {
            precondition(states.accepts(state), "a text that has to end and may not")
            return
        }
        precondition(!states.isComplete(state), "a text that is complete goes on")
        state = next
    }
}

/// Goes on with tokens that the input chooses among those that may come.
private func walkTokens(_ rules: [TextPattern], choosing bytes: [UInt8]) throws(GraftError) {
    let tokens = bytes.indices.map { Array(bytes[$0..<min($0 + 1 + Int(bytes[$0] % 3), bytes.count)]) }
    var paths = try TokenPaths(rules, TokenTree(of: tokens), unusable: [Int32(tokens.count / 2)])
    var state = paths.states.start
    try paths.requireEnd(from: state)
    for choice in bytes.prefix(24) {
        var mask = Array(repeating: UInt64(0), count: tokens.count / 64 + 1)
        try paths.mark(from: state, in: &mask)
        let allowed = tokens.indices.filter { mask[$0 / 64] >> UInt64($0 % 64) & 1 == 1 }
        precondition(!allowed.contains(tokens.count / 2), "a token that never comes")
        if let goesOn = paths.goesOn(state) { precondition(goesOn == !allowed.isEmpty, "another end than expected") }
        guard !allowed.isEmpty else {
            precondition(paths.states.accepts(state), "tokens that have to end and may not")
            return
        }
        state = try paths.next(state, Int32(allowed[Int(choice) % allowed.count]))
        let leadsOn = try paths.canEnd(state)
        precondition(leadsOn, "a token that leads nowhere")
    }
}
