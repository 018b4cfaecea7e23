import Glibc
import GraftTensor

extension Renderer {
    func compares(_ operation: Operation, _ left: Value, _ right: Value) throws(GraftError) -> Bool {
        switch operation {
        case .equal: return try areEqual(left, right)
        case .notEqual: return !(try areEqual(left, right))
        case .isIn: return try contains(right, left)
        case .isNotIn: return !(try contains(right, left))
        default: break
        }
        try refuseUndefined(left, right)
        try charge(min(left.weight, right.weight))
        return switch operation {
        case .less: try precedes(left, right)
        case .greater: try precedes(right, left)
        case .lessOrEqual: try precedes(left, right) || equals(left, right)
        default: try precedes(right, left) || equals(left, right)
        }
    }

    private func areEqual(_ left: Value, _ right: Value) throws(GraftError) -> Bool {
        try charge(min(left.weight, right.weight))
        return equals(left, right)
    }

    private func refuseUndefined(_ left: Value, _ right: Value) throws(GraftError) {
        if case .undefined(let undefined) = left { throw error(of: undefined) }
        if case .undefined(let undefined) = right { throw error(of: undefined) }
    }

    /// `value in container`.
    func contains(_ container: Value, _ value: Value) throws(GraftError) -> Bool {
        switch container {
        case .string(let text):
            guard case .string(let part) = value else {
                if case .undefined(let undefined) = value { throw error(of: undefined) }
                throw unexpected("in: expected a string to look for in a string, found \(value.kind)")
            }
            try chargeSearch(text, part)
            return text.find(part) != nil
        case .dictionary(let dictionary): return try find(value, in: dictionary) != nil
        case .elements, .undefined:
            for element in try elements(of: container) {
                if try areEqual(element, value) { return true }
            }
            return false
        default: throw unexpected("in: \(container.kind) contains nothing")
        }
    }

    func signed(_ value: Value, isNegative: Bool) throws(GraftError) -> Value {
        if case .float(let number) = value { return .float(isNegative ? -number : number) }
        if case .undefined(let undefined) = value { throw error(of: undefined) }
        guard let whole = value.whole else { throw unexpected("a sign before \(value.kind)") }
        return isNegative ? try integer(0.subtractingReportingOverflow(whole)) : .integer(whole)
    }

    private func integer(_ result: (partialValue: Int, overflow: Bool)) throws(GraftError) -> Value {
        guard !result.overflow else { throw tooMuch("an integer beyond 64 bits") }
        return .integer(result.partialValue)
    }

    func combine(_ operation: Operation, _ left: Value, _ right: Value) throws(GraftError) -> Value {
        if let a = left.whole, let b = right.whole { return try combine(operation, a, b) }
        if let a = left.number, let b = right.number { return .float(try combine(operation, a, b)) }
        try refuseUndefined(left, right)
        switch (operation, left, right) {
        case (.add, .string(let a), .string(let b)):
            try announce(a.count + b.count)
            return .string(a + b)
        case (.add, .elements(let a), .elements(let b))
        where a.kind == b.kind && (a.kind == .list || a.kind == .tuple):
            return try made(.elements(Elements(a.kind, a.values + b.values)), count: a.values.count + b.values.count)
        case (.multiply, _, _) where right.whole != nil: return try repeated(left, right.whole ?? 0)
        case (.multiply, _, _) where left.whole != nil: return try repeated(right, left.whole ?? 0)
        case (.modulo, .string(let format), _): return try formatted(format, with: right)
        default: break
        }
        let sign = Self.signs[Int(operation.rawValue) % Self.signs.count]
        throw unexpected("\(left.kind) \(sign) \(right.kind) has no value")
    }

    private static let signs = ["+", "-", "*", "/", "//", "%", "**"]

    private func repeated(_ value: Value, _ count: Int) throws(GraftError) -> Value {
        let count = max(count, 0)
        switch value {
        case .string(let text):
            let (size, overflow) = text.count.multipliedReportingOverflow(by: count)
            try announce(overflow ? -1 : size)
            var whole = Bytes()
            whole.reserveCapacity(size)
            for _ in 0..<(text.isEmpty ? 0 : count) { whole += text }
            return .string(whole)
        case .elements(let elements) where elements.kind == .list || elements.kind == .tuple:
            let (size, overflow) = elements.values.count.multipliedReportingOverflow(by: 16 &* min(count, 1 << 40))
            try charge(overflow ? -1 : size)
            var values: [Value] = []
            for _ in 0..<(elements.values.isEmpty ? 0 : count) { values += elements.values }
            return .elements(Elements(elements.kind, values))
        default: throw unexpected("\(value.kind) cannot be repeated")
        }
    }

    private func combine(_ operation: Operation, _ a: Int, _ b: Int) throws(GraftError) -> Value {
        switch operation {
        case .add: return try integer(a.addingReportingOverflow(b))
        case .subtract: return try integer(a.subtractingReportingOverflow(b))
        case .multiply: return try integer(a.multipliedReportingOverflow(by: b))
        case .power where b >= 0:
            var result = 1
            if a == 0 || a == 1 { return .integer(b == 0 ? 1 : a) }
            if a == -1 { return .integer(b % 2 == 0 ? 1 : -1) }
            for _ in 0..<min(b, 64) {
                let (next, overflow) = result.multipliedReportingOverflow(by: a)
                guard !overflow else { throw tooMuch("an integer beyond 64 bits") }
                result = next
            }
            return .integer(result)
        case .floorDivide, .modulo:
            guard b != 0 else { throw unexpected("division by zero") }
            guard b != -1 else {
                return operation == .modulo ? .integer(0) : try integer(0.subtractingReportingOverflow(a))
            }
            let (quotient, rest) = a.quotientAndRemainder(dividingBy: b)
            let isBelow = rest != 0 && (rest < 0) != (b < 0)
            return .integer(operation == .modulo ? isBelow ? rest + b : rest : isBelow ? quotient - 1 : quotient)
        default: return .float(try combine(operation, Double(a), Double(b)))
        }
    }

    private func combine(_ operation: Operation, _ a: Double, _ b: Double) throws(GraftError) -> Double {
        switch operation {
        case .add: return a + b
        case .subtract: return a - b
        case .multiply: return a * b
        case .power:
            let result = pow(a, b)
            guard result.isFinite || !a.isFinite || !b.isFinite else {
                throw unexpected("\(a) ** \(b) has no value that is a number")
            }
            return result
        default: break
        }
        guard b != 0 else { throw unexpected("division by zero") }
        if operation == .divide { return a / b }
        var rest = fmod(a, b)
        if rest != 0, (rest < 0) != (b < 0) { rest += b } else if rest == 0 { rest = copysign(0, b) }
        if operation == .modulo { return rest }
        let quotient = ((a - rest) / b)
        let floor = quotient.rounded(.down)
        return quotient - floor > 0.5 ? floor + 1 : floor == 0 ? copysign(0, a / b) : floor
    }
}
