import GraftFormats
import GraftTensor

/// Why the tensors of a file are not those of an adapter of this model: what their names are, what
/// they should be, and what writes such names.
enum ForeignNames {
    /// Steps that wrappers put into the names of a model's modules.
    private static let wrappers: [(step: String, writer: String)] = [
        ("_orig_mod", "torch.compile"), ("module", "DataParallel or DistributedDataParallel"),
        ("_fsdp_wrapped_module", "FSDP"), ("_checkpoint_wrapped_module", "activation checkpointing"),
    ]

    /// - Parameters:
    ///   - missing: A tensor that the settings and the model ask for.
    ///   - found: Those of the file that they do not ask for.
    ///   - isKin: Whether other tensors of the file are the right ones.
    static func error(
        _ path: String, missing: String, found: [String], isKin: Bool, start: String, model: String
    ) -> GraftError {
        guard !found.isEmpty else {
            return GraftError(.corruptFile, "\(path): tensor \(missing) is missing, and the file has no others")
        }
        let advice = wrapper(of: found) ?? unstarted(found, start: start)
        let names = found.prefix(3).map { JSON.string($0).briefText }.joined(separator: ", ")
        let others = "the file has \(names)" + (found.count > 3 ? " and \(found.count - 3) more" : "")
        guard !isKin || advice != nil else {
            return GraftError(.corruptFile, "\(path): tensor \(missing) is missing; \(others), which nothing asks for")
        }
        return GraftError(
            .incompatible,
            "\(path): expected tensors of \(model) like \(missing); \(others): "
                + (advice ?? "the adapter was made for another architecture, or saved from another class"))
    }

    private static func wrapper(of names: [String]) -> String? {
        for name in names {
            let steps = name.split(separator: ".")
            guard let wrapper = wrappers.first(where: { steps.contains(Substring($0.step)) }) else { continue }
            return
                "\"\(wrapper.step).\" in names comes from \(wrapper.writer): save the adapter of the model inside it, or "
                + "take this step out of the names"
        }
        return nil
    }

    private static func unstarted(_ names: [String], start: String) -> String? {
        guard !start.isEmpty, !names.contains(where: { $0.hasPrefix(start) }) else { return nil }
        return "names of the layout begin with \"\(start)\", which PEFT's save_pretrained writes"
    }
}
