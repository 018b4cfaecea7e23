import GraftFormats
import GraftTensor

/// Any bytes are read or refused; what is read survives writing and reading, in every layout.
@c(LLVMFuzzerTestOneInput)
public func fuzzJSON(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    let tree = try? JSON(parsing: bytes, source: "input")
    let passes = passesOver(bytes)
    guard let tree else { return 0 }
    precondition(passes, "the reader refuses what the tree takes")
    let styles = [
        JSON.Style(), JSON.Style(escapesNonASCII: false, isCompact: true), JSON.Style(indent: 1, sortsKeys: true),
    ]
    for style in styles {
        let again = try? JSON(parsing: tree.serialized(style), source: "written")
        precondition(again == tree, "what was written reads differently")
    }
    access(tree)
    return 0
}

private func passesOver(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var reader = JSONReader(bytes, source: "input")
    do {
        try reader.skipValue()
        try reader.finish()
        return true
    } catch {
        return false
    }
}

/// Every typed access to every member gives a value or an error.
private func access(_ value: JSON) {
    switch value {
    case .array(let elements): elements.forEach(access)
    case .object(let object):
        for (key, member) in object {
            _ = try? object.int(key)
            _ = try? object.double(key)
            _ = try? object.string(key)
            _ = try? object.strings(key)
            precondition(object[key] == member, "a member is not found by its key")
            access(member)
        }
    default: break
    }
}
