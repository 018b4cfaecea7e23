import GraftFormats
import GraftTemplates
import GraftTensor

/// Any template is parsed or refused, and one that is parsed renders any variables, twice to the
/// same text, or refuses them.
///
/// The input is the template, a byte 0xFF, which is in no UTF-8, and the variables as JSON.
@c(LLVMFuzzerTestOneInput)
public func fuzzTemplate(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    let end = bytes.firstIndex(of: 0xFF) ?? count
    guard let template = try? Template(Array(bytes[..<end]), source: "input") else { return 0 }
    let rest = UnsafeRawBufferPointer(rebasing: bytes[min(end + 1, count)...])
    let given = (try? JSON(parsing: rest, source: "variables"))?.objectValue
    for variables in [given ?? standard, standard] {
        guard let rendered = try? template.render(variables, now: 0) else { continue }
        precondition(
            rendered.text.withUnsafeBytes { UTF8Scanning.firstInvalid(in: $0) } == nil, "a text that is not UTF-8")
        for place in rendered.generations {
            precondition(place.upperBound <= rendered.text.count, "a place beyond the text")
        }
        let again = try? template.render(variables, now: 0)
        precondition(again?.text == rendered.text, "another text the second time")
    }
    return 0
}

private let standard: JSONObject = {
    let variables: JSON = [
        "messages": [
            ["role": "system", "content": " é\n"], ["role": "user", "content": "x y"],
            ["role": "assistant", "content": ["type": "text"], "tool_calls": [["name": "f", "arguments": [:]]]],
        ],
        "tools": nil, "add_generation_prompt": true, "bos_token": "<s>", "eos_token": "</s>", "numbers": [3, 1.5, -2],
    ]
    return variables.objectValue ?? JSONObject()
}()
