import GraftTensor

extension Renderer {
    /// How a list of statements ended.
    enum Ending { case through, stopped, next }

    func run(_ statements: [Statement]) throws(GraftError) -> Ending {
        try enter()
        for statement in statements {
            let ending = try run(statement)
            if ending != .through {
                leave()
                return ending
            }
        }
        leave()
        return .through
    }

    private func run(_ statement: Statement) throws(GraftError) -> Ending {
        switch statement {
        case .text(let text): try write(text)
        case .output(let expression, let line):
            self.line = line
            try write(try written(try evaluate(expression)))
        case .set(let target, let expression, let line):
            self.line = line
            try assign(try evaluate(expression), to: target)
        case .capture(let target, let filters, let body, let line):
            let text = try capturedBlock(filters, body)
            self.line = line
            try assign(text, to: target)
        case .branches(let branches): return try run(branches)
        case .loop(let node): try runLoop(node)
        case .macro(let node):
            if let name = node.name { scope[name] = try keep(Macro(node, scope: scope)) }
        case .call(let call, let node):
            line = call.line
            let body = try keep(Macro(node, scope: scope))
            try write(try written(try self.call(call, caller: body)))
        case .filtered(let filters, let body): try write(try written(try capturedBlock(filters, body)))
        case .with(let assigned, let body, let line): return try runWith(assigned, body, line)
        case .generation(let body): try runGeneration(body)
        case .stop: return .stopped
        case .next: return .next
        }
        return .through
    }

    private func run(_ branches: [Branch]) throws(GraftError) -> Ending {
        for branch in branches {
            guard let test = branch.test else { return try run(branch.body) }
            line = branch.line
            if try evaluate(test).isTrue { return try run(branch.body) }
        }
        return .through
    }

    private func runWith(
        _ assigned: [(target: Target, value: Expression)], _ body: [Statement], _ line: Int
    ) throws(GraftError) -> Ending {
        self.line = line
        // The values see the names outside.
        var values: [Value] = []
        for (_, expression) in assigned { values.append(try evaluate(expression)) }
        return try within(Scope(in: scope)) { () throws(GraftError) in
            for (index, value) in values.enumerated() { try assign(value, to: assigned[index].target) }
            return try run(body)
        }
    }

    private func runGeneration(_ body: [Statement]) throws(GraftError) {
        let start = writtenCount
        let text = try captured { () throws(GraftError) in
            try within(Scope(in: scope)) { () throws(GraftError) in _ = try run(body) }
        }
        generations.append((start, text.scalarCount))
        try write(text)
    }

    /// What a block writes, through filters.
    private func capturedBlock(_ filters: [FilterNode], _ body: [Statement]) throws(GraftError) -> Value {
        var value = Value.string(
            try captured { () throws(GraftError) in
                try within(Scope(in: scope)) { () throws(GraftError) in _ = try run(body) }
            })
        for filter in filters { value = try apply(filter, to: value) }
        return value
    }

    func assign(_ value: Value, to target: Target) throws(GraftError) {
        switch target {
        case .name(let name): scope[name] = value
        case .attribute(let name, let attribute):
            let holder = self.value(of: name)
            guard case .namespace(let namespace) = holder else {
                throw unexpected(
                    "an attribute is set of \"\(brief(syntax.names[name]))\", which is \(holder.kind); expected a namespace"
                )
            }
            try Self.refusePrivate(attribute)
            namespace[attribute] = value
        case .tuple(let targets):
            let values = try elements(of: value)
            guard values.count == targets.count else {
                throw unexpected("expected \(targets.count) values to assign, found \(values.count)")
            }
            for (index, target) in targets.enumerated() { try assign(values[index], to: target) }
        }
    }

    static func refusePrivate(_ attribute: Bytes) throws(GraftError) {
        if attribute.first == ascii("_") {
            throw unexpected("a namespace has no attribute \"\(brief(attribute))\": it begins with an underscore")
        }
    }

    // MARK: Loops

    private func runLoop(_ node: LoopNode) throws(GraftError) {
        line = node.line
        let iterated = try evaluate(node.iterated)
        if node.isRecursive {
            try write(try captured { () throws(GraftError) in try runLoop(node, over: iterated, depth: 0) })
        } else {
            try runLoop(node, over: iterated, depth: 0)
        }
    }

    func runLoop(_ node: LoopNode, over iterated: Value, depth: Int) throws(GraftError) {
        var values = try elements(of: iterated)
        try charge(values.count)
        let outer = scope
        defer { scope = outer }
        if let condition = node.condition {
            var kept: [Value] = []
            for value in values {
                scope = Scope(in: outer)
                try assign(value, to: node.target)
                if try evaluate(condition).isTrue { kept.append(value) }
            }
            values = kept
        }
        scope = outer
        guard !values.isEmpty else {
            scope = Scope(in: outer)
            _ = try run(node.otherwise)
            return
        }
        var loop = Loop(node, Elements(.list, values), depth: depth, scope: outer)
        var inner = Scope(in: outer)
        defer {
            inner.removeAll()
            if !isKnownUniquelyReferenced(&loop) { keep(loop) }
        }
        for (index, value) in values.enumerated() {
            loop.index = index
            // Names of an iteration end with it, unless a macro holds them.
            if isKnownUniquelyReferenced(&inner) { inner.removeAll() } else { inner = Scope(in: outer) }
            inner[Syntax.loop] = .loop(loop)
            scope = inner
            try assign(value, to: node.target)
            let ending = try run(node.body)
            scope = outer
            if ending == .stopped { break }
        }
    }
}
