import GraftTensor

/// An action of one of several adapters that act together at a site, with the numbers of that
/// adapter.
///
/// What acts together is never trained: its actions have no backward.
package struct CompositeMember<Action: Sendable>: Sendable {
    let action: Action
    let numbers: AdapterNumbers
    /// Its share of an average; 1 in a sequence.
    let weight: Float
}

extension SiteContext {
    /// The same for the action of another adapter.
    func of(_ numbers: AdapterNumbers) -> SiteContext {
        SiteContext(
            pass: pass, numbers: numbers, adapter: adapter, site: site, repetition: repetition, firstRow: firstRow,
            keeps: keeps, scale: numbers.scale)
    }
}

/// y ← the weighted mean of y as it is and of what each member makes of a copy of it.
///
/// - Parameter restWeight: of y as it is.
func average<Action>(
    _ members: [CompositeMember<Action>], restWeight: Float, of y: Matrix, _ context: SiteContext,
    _ apply: (_ action: Action, _ own: Matrix, _ context: SiteContext) throws(GraftError) -> Void
) throws(GraftError) {
    let (scratch, team) = (context.pass.scratch, context.pass.team)
    let mark = scratch.mark
    defer { scratch.rewind(to: mark) }
    let plain = try scratch.matrix(rows: y.rows, columns: y.columns)
    y.copy(to: plain)
    let own = try scratch.matrix(rows: y.rows, columns: y.columns)
    var total = restWeight
    for member in members {
        let mark = scratch.mark
        defer { scratch.rewind(to: mark) }
        plain.copy(to: own)
        try apply(member.action, own, context.of(member.numbers))
        total += member.weight
        // Equal matrices have themselves as their mean, to the last bit.
        if total == member.weight { own.copy(to: y) } else { team.blend(own, weight: member.weight / total, into: y) }
    }
}
