import GraftFormats
import GraftTensor

/// A Jinja template, parsed: what jinja2's immutable sandbox makes of it as transformers sets that
/// up, to the character, or an error that says what it does not know.
///
/// Immutable: any number of threads may render one.
package struct Template: @unchecked Sendable {
    private let syntax: Syntax
    private let source: String
    private let bytes: Bytes

    /// - Parameter source: what it is, for messages: a path.
    package init(_ text: [UInt8], source: String) throws(GraftError) {
        self.source = source
        bytes = text
        guard text.count <= Self.maximumSize else {
            throw GraftError(.unsupported, "\(source): expected at most \(Self.maximumSize) bytes, found \(text.count)")
        }
        if let position = text.withUnsafeBytes({ UTF8Scanning.firstInvalid(in: $0) }) {
            throw GraftError(.corruptFile, "\(source): not UTF-8 at byte \(position)")
        }
        do throws(GraftError) {
            syntax = try Parser.parse(text)
        } catch {
            throw GraftError(error.code, "\(source): \(error.message)")
        }
    }

    /// Bytes of a template that is read.
    package static let maximumSize = 1 << 20

    /// Units of work: a step is eight, a byte that is made one, an element of a list sixteen.
    package static let mostWork = 1 << 28

    /// Whether it marks what the assistant says with `{% generation %}`.
    package var marksGeneration: Bool { syntax.hasGeneration }

    /// Whether some text stands in it.
    package func mentions(_ text: String) -> Bool { bytes.find(utf8(text)) != nil }

    /// Text without white space at its ends, as Python's `str.strip` and `rstrip` see it.
    package static func stripped(_ text: [UInt8], left: Bool = true) -> [UInt8] {
        PythonText.stripped(text, left: left)
    }

    /// What a template makes of its variables.
    package struct Rendered: Sendable {
        package var text: [UInt8]
        /// Bytes of the text that stand in `{% generation %}` blocks.
        package var generations: [Range<Int>]
    }

    /// - Parameters:
    ///   - variables: what the template sees by these names; the last of equal names counts.
    ///   - now: seconds since 1970 for `strftime_now`; nil is the time of the call.
    ///   - mostWork: how much it may do, as `Renderer` counts it.
    package func render(
        _ variables: JSONObject, now: Int? = nil, mostWork: Int = Template.mostWork
    ) throws(GraftError) -> Rendered {
        var context = [Value?](repeating: nil, count: syntax.names.count)
        for (number, name) in syntax.names.enumerated() {
            guard let value = variables[GraftTemplates.text(name)] else { continue }
            let converted = Value(value)
            guard converted.depth <= Renderer.mostDepth else {
                throw GraftError(
                    .unsupported,
                    "\(GraftTemplates.text(name)): nested deeper than \(Renderer.mostDepth) levels, as deep as a template goes"
                )
            }
            context[number] = converted
        }
        let renderer = Renderer(syntax, context: context, now: now, mostWork: mostWork)
        do throws(GraftError) {
            try renderer.render()
        } catch {
            if error.code == .outOfMemory { throw error }
            throw GraftError(error.code, "\(source), line \(renderer.line): \(error.message)")
        }
        // As transformers counts them: what a block wrote into a variable stands where that text
        // would have been written.
        let text = renderer.output
        let generations = renderer.generations.map { start, characters in
            let start = min(start, text.count)
            return start..<text.byte(ofScalar: characters, from: start)
        }
        return Rendered(text: text, generations: generations)
    }
}
