/// What llama.cpp's files call the tensors of an architecture, and which of them lie there
/// otherwise than in a checkpoint.
package struct GGUFNames: Sendable {
    /// A module, whose tensors are its weight and bias.
    package struct Module: Sendable {
        /// In the file; `*` stands for the number of a layer.
        let stored: String
        /// In a checkpoint.
        let name: String
        let form: Form

        package init(_ stored: String, _ name: String, _ form: Form = .plain) {
            self.stored = stored
            self.name = name
            self.form = form
        }
    }

    package enum Form: Sendable {
        case plain, transposed
        /// Heads of queries, and of keys, whose turning rows lie together.
        case interleavedQueries, interleavedKeys
        /// Queries, keys and values one after the other, where a checkpoint has them head by head.
        case joined
        /// A norm's scale, where a checkpoint has by how much it differs from 1.
        case scale
    }

    /// `general.architecture`.
    package let architecture: String
    /// What comes before a backbone's names in checkpoints of a task's class, as "model".
    package let backbone: String
    private let modules: [Module]

    package init(architecture: String, backbone: String, modules: [Module]) {
        self.architecture = architecture
        self.backbone = backbone
        self.modules = modules
    }

    /// What a checkpoint calls a tensor of a file; nil for one that it does not have.
    package func name(of stored: String) -> (name: String, form: Form)? {
        Self.translated(stored, modules, from: \.stored, to: \.name).map { ($0.name, $0.form) }
    }

    /// What a file calls a tensor of a checkpoint, whether that has the backbone's name before its
    /// tensors or not; nil for one that it does not have.
    package func stored(_ name: String) -> (name: String, form: Form)? {
        found(name).map { ($0.name, $0.form) }
    }

    /// Which of the modules a tensor of a checkpoint is of.
    package func place(_ name: String) -> Int? { found(name)?.place }

    private func found(_ name: String) -> (name: String, form: Form, place: Int)? {
        let start = backbone + "."
        for name in [name, start + name, name.hasPrefix(start) ? String(name.dropFirst(start.count)) : name] {
            if let found = Self.translated(name, modules, from: \.name, to: \.stored) { return found }
        }
        return nil
    }

    private static func translated(
        _ tensor: String, _ modules: [Module], from: KeyPath<Module, String>, to: KeyPath<Module, String>
    ) -> (name: String, form: Form, place: Int)? {
        for suffix in [".weight", ".bias"] where tensor.hasSuffix(suffix) {
            var layer = ""
            // The first part that is a number is a layer's.
            let pattern = tensor.dropLast(suffix.count).split(separator: ".", omittingEmptySubsequences: false).map {
                part in
                let isNumber =
                    !part.isEmpty && part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
                guard layer.isEmpty, isNumber else { return part }
                layer = String(part)
                return "*"
            }.joined(separator: ".")
            guard let place = modules.firstIndex(where: { $0[keyPath: from] == pattern }) else { return nil }
            let name = modules[place][keyPath: to].split(separator: "*", omittingEmptySubsequences: false)
            return (name.joined(separator: layer) + suffix, modules[place].form, place)
        }
        return nil
    }
}

extension GGUFNames.Form {
    /// The same for a model with so many heads.
    package func of(headCount: Int, keyHeadCount: Int) -> GGUFSource.Form {
        switch self {
        case .plain: .plain
        case .transposed: .transposed
        case .scale: .scale
        case .interleavedQueries: .interleaved(headCount: headCount)
        case .interleavedKeys: .interleaved(headCount: keyHeadCount)
        case .joined: .joined(headCount: headCount)
        }
    }
}
