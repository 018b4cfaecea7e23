/// An expression of a template. Names are numbers, which `Syntax.names` spells.
indirect enum Expression {
    case constant(Value)
    case name(Int)
    case list([Expression])
    case tuple([Expression])
    case dictionary([(key: Expression, value: Expression)])
    case attribute(Expression, Bytes)
    case item(Expression, Expression)
    case slice(Expression, start: Expression?, end: Expression?, step: Expression?)
    case call(CallNode)
    case filter(FilterNode)
    case test(FilterNode)
    case not(Expression)
    case negative(Expression)
    case positive(Expression)
    /// Operators of one rank, from the left.
    case arithmetic(Expression, [(operation: Operation, operand: Expression)])
    case concatenation([Expression])
    /// `a < b < c` holds when both do.
    case comparison(Expression, [(operation: Operation, operand: Expression)])
    case all([Expression])
    case any([Expression])
    case conditional(test: Expression, then: Expression, else: Expression?)
}

enum Operation: UInt8 {
    case add, subtract, multiply, divide, floorDivide, modulo, power
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual, isIn, isNotIn
}

/// What stands between the parentheses of a call.
struct ArgumentNodes {
    var positional: [Expression] = []
    var named: [(name: Bytes, value: Expression)] = []
    /// `*list` and `**mapping`.
    var list: Expression?
    var mapping: Expression?
}

final class CallNode {
    let callee: Expression
    let arguments: ArgumentNodes
    let line: Int

    init(_ callee: Expression, _ arguments: ArgumentNodes, line: Int) {
        self.callee = callee
        self.arguments = arguments
        self.line = line
    }
}

/// A filter or a test; without an operand it is applied to what a block writes.
final class FilterNode {
    let operand: Expression?
    let name: String
    let arguments: ArgumentNodes
    let line: Int

    init(_ operand: Expression?, _ name: String, _ arguments: ArgumentNodes, line: Int) {
        self.operand = operand
        self.name = name
        self.arguments = arguments
        self.line = line
    }
}

/// What `set` and `for` assign to.
indirect enum Target {
    case name(Int)
    /// An attribute of a namespace.
    case attribute(Int, Bytes)
    case tuple([Target])
}

indirect enum Statement {
    case text(Bytes)
    case output(Expression, line: Int)
    case set(Target, Expression, line: Int)
    /// `{% set x %}…{% endset %}`
    case capture(Target, [FilterNode], [Statement], line: Int)
    /// The first whose test holds; one without a test is `else`.
    case branches([Branch])
    case loop(LoopNode)
    case macro(MacroNode)
    case call(CallNode, MacroNode)
    case filtered([FilterNode], [Statement])
    case with([(target: Target, value: Expression)], [Statement], line: Int)
    /// What the assistant says.
    case generation([Statement])
    case stop
    case next
}

struct Branch {
    let test: Expression?
    let body: [Statement]
    let line: Int
}

final class LoopNode {
    let target: Target
    let iterated: Expression
    let condition: Expression?
    let isRecursive: Bool
    let body: [Statement]
    let otherwise: [Statement]
    let line: Int

    init(
        _ target: Target, _ iterated: Expression, condition: Expression?, isRecursive: Bool, _ body: [Statement],
        otherwise: [Statement], line: Int
    ) {
        self.target = target
        self.iterated = iterated
        self.condition = condition
        self.isRecursive = isRecursive
        self.body = body
        self.otherwise = otherwise
        self.line = line
    }
}

final class MacroNode {
    /// Nil of a `call` block.
    let name: Int?
    let spelling: Bytes
    let parameters: [(name: Int, spelling: Bytes, standard: Expression?)]
    let body: [Statement]
    let line: Int
    /// Whether the body speaks of `varargs`, `kwargs` and `caller`: only then a macro takes them.
    let takesList: Bool
    let takesMapping: Bool
    let takesCaller: Bool

    init(
        _ name: Int?, _ spelling: Bytes, _ parameters: [(name: Int, spelling: Bytes, standard: Expression?)],
        _ body: [Statement], line: Int, speaksOf: Set<Bytes>
    ) {
        self.name = name
        self.spelling = spelling
        self.parameters = parameters
        self.body = body
        self.line = line
        takesList = speaksOf.contains(utf8("varargs"))
        takesMapping = speaksOf.contains(utf8("kwargs"))
        takesCaller = speaksOf.contains(utf8("caller"))
    }
}

/// A template, parsed.
struct Syntax {
    var body: [Statement] = []
    /// Every name in it, by number.
    var names = [utf8("loop"), utf8("varargs"), utf8("kwargs"), utf8("caller")]
    /// The functions that names are where nothing else has the name.
    var functions: [Function?] = []
    /// The numbers of those that blocks set by themselves.
    static let (loop, varargs, kwargs, caller) = (0, 1, 2, 3)
    /// Whether it marks what the assistant says.
    var hasGeneration = false
}
