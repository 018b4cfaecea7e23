// with Sources/GraftInference/Constraints
import GraftTensor

/// Any expression and any schema is parsed or refused. Of one that is parsed, each byte leads to
/// where a text may end, or some other byte leads on: no text runs into a wall.
///
/// The input is a constraint as JSON; or else, behind a byte 0xFF, which is in no UTF-8, the bytes
/// of an expression.
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
