import GraftFormats
import GraftTemplates
import GraftTensor

/// The chat templates of a GGUF file, or of a model folder: `chat_template.jinja` and
/// `additional_chat_templates/*.jinja`, or else `chat_template` of `tokenizer_config.json`, which
/// is one template or a list of named ones.
///
/// Each is parsed when it is first used. Immutable but for that: any number of threads may use it.
final class ChatTemplates: Sendable {
    private struct Source {
        let name: String
        let bytes: [UInt8]
        let path: String
    }

    private let sources: [Source]
    /// Whether there is one alone, which has no name.
    private let isSingle: Bool
    private let place: String
    private let parsed = Guarded<[ExactString: Template]>([:])

    private static let standard = "default"
    private static let withTools = "tool_use"
    /// Templates from callers that are kept parsed.
    private static let mostKept = 16

    /// None.
    ///
    /// - Parameter source: where they would be, for messages.
    init(source: String) {
        (sources, isSingle, place) = ([], true, source)
    }

    /// Those of a GGUF file: one, and one for conversations with tools.
    init(_ file: GGUFFile) throws(GraftError) {
        place = file.path
        var sources: [Source] = []
        for (name, key) in [
            (Self.standard, "tokenizer.chat_template"), (Self.withTools, "tokenizer.chat_template.tool_use"),
        ] {
            guard let text = try file.header.optionalString(key) else { continue }
            sources.append(Source(name: name, bytes: Array(text.utf8), path: "\(file.path): \(key)"))
        }
        self.sources = sources
        isSingle = sources.count < 2 && sources.first?.name != Self.withTools
    }

    init(_ folder: InputFolder, configuration: JSONObject) throws(GraftError) {
        place = folder.path
        var files = try Self.file("chat_template.jinja", named: Self.standard, of: folder).map { [$0] } ?? []
        for name in try folder.names(in: "additional_chat_templates") where name.hasSuffix(".jinja") {
            let path = "additional_chat_templates/" + name
            if let file = try Self.file(path, named: String(name.dropLast(6)), of: folder) { files.append(file) }
        }
        if !files.isEmpty {
            isSingle = files.count == 1 && files[0].name == Self.standard
            sources = files
            return
        }
        let path = folder.path(of: "tokenizer_config.json") + ": chat_template"
        switch configuration["chat_template"] {
        case nil, .null: (sources, isSingle) = ([], true)
        case .string(let text):
            (sources, isSingle) = ([Source(name: Self.standard, bytes: Array(text.utf8), path: path)], true)
        case .array(let templates):
            var named: [Source] = []
            for template in templates {
                let (name, text) = (try template.string("name"), try template.string("template"))
                named.removeAll { $0.name == name }
                named.append(
                    Source(name: name, bytes: Array(text.utf8), path: "\(path) \(JSON.string(name).serialized())"))
            }
            (sources, isSingle) = (named, false)
        default: throw configuration.unexpected("chat_template", expected: "a template, or a list of named templates")
        }
    }

    /// What a GGUF file says of them.
    func add(to metadata: inout GGUFMetadata) {
        for source in sources {
            let key = "tokenizer.chat_template" + (source.name == Self.standard ? "" : ".\(source.name)")
            metadata.add(key, .string(String(decoding: source.bytes, as: UTF8.self)))
        }
        let others = sources.filter { $0.name != Self.standard }.map { Array($0.name.utf8) }
        if !others.isEmpty { metadata.add("tokenizer.chat_templates", .strings(others)) }
    }

    private static func file(_ path: String, named name: String, of folder: InputFolder) throws(GraftError) -> Source? {
        do throws(GraftError) {
            return Source(
                name: name, bytes: try folder.contents(of: path, limit: Template.maximumSize),
                path: folder.path(of: path))
        } catch  where error.code == .notFound {
            return nil
        }
    }

    /// The template that a caller asks for.
    ///
    /// - Parameters:
    ///   - chosen: the name of one of several, or a template itself; nil is the folder's own.
    ///   - hasTools: with tools, `tool_use` comes before `default`.
    func template(_ chosen: String?, hasTools: Bool) throws(GraftError) -> Template {
        if let chosen {
            if !isSingle, let source = source(named: chosen) { return try template(of: source) }
            return try template(
                of: Source(name: chosen, bytes: Array(chosen.utf8), path: "chat_template"), isOfCaller: true)
        }
        guard !sources.isEmpty else {
            throw GraftError(
                .notFound,
                "\(place): it has no chat template: expected chat_template.jinja, or chat_template in tokenizer_config.json"
            )
        }
        if isSingle { return try template(of: sources[0]) }
        let source = hasTools ? source(named: Self.withTools) : nil
        guard let source = source ?? self.source(named: Self.standard) else {
            throw GraftError(
                .notFound,
                "\(place): none of its chat templates is called \"default\": expected the name of one of "
                    + sources.map { JSON.string($0.name).serialized() }.joined(separator: ", "))
        }
        return try template(of: source)
    }

    private func source(named name: String) -> Source? {
        let name = ExactString(name)
        return sources.first { ExactString($0.name) == name }
    }

    private func template(of source: Source, isOfCaller: Bool = false) throws(GraftError) -> Template {
        // The folder's are known by where they stand, a caller's by all that it says.
        let key = ExactString(isOfCaller ? "\0" + source.name : source.path)
        if let known = parsed.withLock({ $0[key] }) { return known }
        let template =
            isOfCaller
            ? try ofCaller { () throws(GraftError) in try Template(source.bytes, source: source.path) }
            : try Template(source.bytes, source: source.path)
        parsed.withLock { parsed in
            if parsed.count >= sources.count + Self.mostKept { parsed.removeAll() }
            parsed[key] = template
        }
        return template
    }
}
