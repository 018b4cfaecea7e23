import GraftTensor

extension Renderer {
    /// - Parameter caller: the body of a `call` block.
    func call(_ node: CallNode, caller: Value?) throws(GraftError) -> Value {
        // A method is called where it is found, without a value of its own.
        if case .attribute(let holder, let name) = node.callee {
            let receiver = try evaluate(holder)
            line = node.line
            switch receiver {
            case .string, .dictionary, .elements, .integer, .float, .bool:
                if Self.hasMethod(name, receiver) {
                    let arguments = try arguments(node.arguments)
                    line = node.line
                    return try callMethod(name, of: receiver, arguments)
                }
            default: break
            }
            return try call(try attribute(name, of: receiver), named: name, node, caller: caller)
        }
        var name = Bytes()
        if case .name(let number) = node.callee { name = syntax.names[number] }
        let callee = try evaluate(node.callee)
        line = node.line
        return try call(callee, named: name, node, caller: caller)
    }

    private func call(
        _ callee: Value, named name: Bytes, _ node: CallNode, caller: Value?
    ) throws(GraftError) -> Value {
        var arguments = try arguments(node.arguments)
        if let caller { arguments.named.append((utf8("caller"), caller)) }
        line = node.line
        switch callee {
        case .macro(let macro): return .string(try run(macro, arguments))
        case .function(let function): return try call(function, arguments)
        case .method(let method): return try callMethod(method.name, of: method.receiver, arguments)
        case .loop(let loop): return try recurse(loop, arguments)
        case .undefined(let undefined): throw error(of: undefined)
        default: throw unexpected("\(name.isEmpty ? "" : "\"\(brief(name))\", ")\(callee.kind), cannot be called")
        }
    }

    func arguments(_ nodes: ArgumentNodes) throws(GraftError) -> Arguments {
        var arguments = Arguments()
        for node in nodes.positional { arguments.positional.append(try evaluate(node)) }
        for (name, node) in nodes.named { arguments.named.append((name, try evaluate(node))) }
        if let list = nodes.list { arguments.positional += try elements(of: try evaluate(list)) }
        if let mapping = nodes.mapping {
            guard case .dictionary(let dictionary) = try evaluate(mapping) else {
                throw unexpected("expected a mapping after **")
            }
            for (key, value) in dictionary.members { arguments.named.append((try written(key), value)) }
        }
        return arguments
    }

    // MARK: Macros

    private func run(_ macro: Macro, _ given: Arguments) throws(GraftError) -> Bytes {
        guard let outer = macro.scope else { return [] }
        let node = macro.node
        let name = brief(node.spelling)
        let inner = Scope(in: outer)
        var named = given.named
        func take(_ name: Bytes) -> Value? {
            named.firstIndex { $0.name == name }.map { named.remove(at: $0).value }
        }
        var missing: [(name: Int, spelling: Bytes, standard: Expression?)] = []
        for (index, parameter) in node.parameters.enumerated() {
            if index < given.positional.count {
                inner[parameter.name] = given.positional[index]
            } else if let value = take(parameter.spelling) {
                inner[parameter.name] = value
            } else {
                missing.append(parameter)
            }
        }
        if node.takesCaller, !node.parameters.contains(where: { $0.name == Syntax.caller }) {
            inner[Syntax.caller] =
                take(utf8("caller")) ?? .undefined(Value.Undefined(name: utf8("caller"), reason: .name))
        }
        let rest = Array(given.positional.dropFirst(node.parameters.count))
        if node.takesList {
            inner[Syntax.varargs] = .tuple(rest)
        } else if !rest.isEmpty {
            throw unexpected("the macro \"\(name)\" takes at most \(node.parameters.count) arguments")
        }
        if node.takesMapping {
            inner[Syntax.kwargs] = try mapping(of: named.map { (.string($0.name), $0.value) })
        } else if let (extra, _) = named.first {
            throw unexpected("the macro \"\(name)\" takes no argument \"\(brief(extra))\"")
        }
        return try captured { () throws(GraftError) in
            try within(inner) { () throws(GraftError) in
                for (name, spelling, standard) in missing {
                    if let standard {
                        inner[name] = try evaluate(standard)
                    } else {
                        inner[name] = .undefined(Value.Undefined(name: spelling, reason: .parameter))
                    }
                }
                _ = try run(node.body)
            }
        }
    }

    private func recurse(_ loop: Loop, _ arguments: Arguments) throws(GraftError) -> Value {
        guard loop.node.isRecursive, let outer = loop.scope else {
            throw unexpected("a loop is called that is not recursive")
        }
        let iterated = try arguments.bound("loop", "iterable", required: 1)[0] ?? .none
        try enter()
        defer { leave() }
        return .string(
            try captured { () throws(GraftError) in
                try within(outer) { () throws(GraftError) in
                    try runLoop(loop.node, over: iterated, depth: loop.depth + 1)
                }
            })
    }

    // MARK: Functions

    private func call(_ function: Function, _ arguments: Arguments) throws(GraftError) -> Value {
        switch function {
        case .range: return try range(arguments)
        case .dict: return try dictionary(arguments)
        case .namespace:
            guard case .dictionary(let dictionary) = try dictionary(arguments) else { return .none }
            var members: [(name: Bytes, value: Value)] = []
            for (key, value) in dictionary.members {
                let name = try written(key)
                try Self.refusePrivate(name)
                members.append((name, value))
            }
            return try keep(Namespace(members))
        case .raiseException:
            let message = try arguments.bound("raise_exception", "message", required: 1)[0]
            throw GraftError(
                .invalidArgument,
                "the template refuses this: \(text(try message.map { value throws(GraftError) in try written(value) } ?? []))"
            )
        case .strftimeNow:
            let format = try arguments.bound("strftime_now", "format", required: 1)[0].bytes("format") ?? []
            try announce(format.count)
            return try made(Calendar.written(now, as: format))
        case .lipsum, .cycler, .joiner:
            throw GraftError(.unsupported, "the function \(function.rawValue) is not supported")
        }
    }

    private func range(_ arguments: Arguments) throws(GraftError) -> Value {
        var bounds: [Int] = []
        for value in try arguments.bound("range", "start stop step", required: 1) {
            if let whole = try value.whole("range") { bounds.append(whole) }
        }
        if bounds.count == 1 { bounds.insert(0, at: 0) }
        let step = bounds.count > 2 ? bounds[2] : 1
        guard step != 0 else { throw unexpected("range: the step is 0") }
        let limit = Double(bounds[1]) - Double(bounds[0])
        guard limit / Double(step) <= Double(Self.mostOfRange) else {
            throw tooMuch("a range of more than \(Self.mostOfRange) numbers")
        }
        var (values, next): ([Value], (partialValue: Int, overflow: Bool)) = ([], (bounds[0], false))
        while !next.overflow, step > 0 ? next.partialValue < bounds[1] : next.partialValue > bounds[1] {
            values.append(.integer(next.partialValue))
            next = next.partialValue.addingReportingOverflow(step)
        }
        return try made(.elements(Elements(.range, values, bounds: (bounds[0], bounds[1], step))), count: values.count)
    }

    private func dictionary(_ arguments: Arguments) throws(GraftError) -> Value {
        guard arguments.positional.count <= 1 else {
            throw unexpected("dict takes at most 1 argument without a name")
        }
        var members: [Dictionary.Member] = []
        if let first = arguments.positional.first {
            if case .dictionary(let dictionary) = first {
                members = dictionary.members
            } else {
                for pair in try elements(of: first) {
                    let pair = try elements(of: pair)
                    guard pair.count == 2 else { throw unexpected("dict: expected pairs") }
                    members.append((try hashable(pair[0]), pair[1]))
                }
            }
        }
        return try mapping(of: members + arguments.named.map { (.string($0.name), $0.value) })
    }
}
