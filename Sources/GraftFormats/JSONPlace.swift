/// Where a value stands in a file, for messages: `config.json: rope_scaling.factor`.
///
/// Places share their outer part, so that knowing the place of every object costs one small node
/// each.
package final class JSONPlace: Sendable, CustomStringConvertible {
    private enum Step: Sendable {
        case source(String)
        case key(String)
        case index(Int)
    }

    private let outer: JSONPlace?
    private let step: Step

    /// The outermost value of a file.
    package init(source: String) {
        outer = nil
        step = .source(source)
    }

    package init(key: String, in outer: JSONPlace) {
        self.outer = outer
        step = .key(key)
    }

    package init(index: Int, in outer: JSONPlace) {
        self.outer = outer
        step = .index(index)
    }

    /// Long keys are cut.
    package var description: String {
        var steps: [Step] = []
        var place: JSONPlace? = self
        while let current = place {
            steps.append(current.step)
            place = current.outer
        }
        var text = ""
        var isFirst = true
        for step in steps.reversed() {
            switch step {
            case .source(let source): text = source
            case .key(let key):
                text += isFirst ? ": " : "."
                text += key.shortened
                isFirst = false
            case .index(let index):
                text += isFirst ? ": [\(index)]" : "[\(index)]"
                isFirst = false
            }
        }
        return text
    }
}
