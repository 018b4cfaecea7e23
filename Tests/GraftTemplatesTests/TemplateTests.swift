import GraftFormats
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTemplates

/// What jinja2 3.1.6 makes of templates, as transformers 5.23 sets it up: see
/// makers/chat_templates.py.
@Suite("Templates are rendered as jinja2 3.1.6 renders them")
struct TemplateTests {
    private static let folder = Goldens.path("chat-templates")

    @Test("Templates of the families, with every conversation")
    func families() throws {
        let file = try JSON(contentsOf: Self.folder + "/families.json").requireObject()
        let conversations = try file.object("conversations")
        var templates: [String: Template] = [:]
        for value in try file.array("cases") {
            let golden = try value.requireObject()
            let name = try golden.string("template")
            let path = "\(Self.folder)/\(name)"
            let template = try templates[name] ?? Template(MappedFile.contents(of: path, limit: 1 << 20), source: name)
            templates[name] = template
            let conversation = try golden.string("conversation")
            try check(
                golden, "\(name), \(conversation)", now: try file.int("now"),
                template: template, try conversations.object(conversation))
        }
        #expect(templates.count == 18)
    }

    @Test("Small templates, listed and random")
    func programs() throws {
        let file = try JSON(contentsOf: Self.folder + "/programs.json").requireObject()
        let cases = try file.array("cases")
        #expect(cases.count > 850)
        for value in cases {
            let golden = try value.requireObject()
            let source = try golden.string("template")
            do {
                let template = try Template(Array(source.utf8), source: "template")
                try check(golden, source, now: try file.int("now"), template: template, try file.object("variables"))
            } catch let error as GraftError {
                #expect(golden["error"] == true, "\(source): \(error)")
            }
        }
    }

    private func check(
        _ golden: JSONObject, _ name: String, now: Int, template: Template, _ variables: JSONObject
    ) throws {
        let rendered: Template.Rendered
        do {
            rendered = try template.render(variables, now: now)
        } catch {
            #expect(golden["error"] == true, "\(name): \(error)")
            return
        }
        #expect(golden["error"] == nil, "\(name): jinja2 refuses it")
        #expect(rendered.text == Array(try golden.string("text").utf8), "\(name): \(text(rendered.text))")
        let places = try golden.optionalArray("generations") ?? []
        #expect(
            rendered.generations.map { [$0.lowerBound, $0.upperBound] }
                == places.map { ($0.arrayValue ?? []).compactMap(\.intValue) }, "\(name)")
    }
}
