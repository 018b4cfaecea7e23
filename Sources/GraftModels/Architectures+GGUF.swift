import CGraftKernels
import GraftFormats
import GraftLayers
import GraftTensor

extension Architectures {
    /// What files of llama.cpp call an architecture's tensors; nil where there are none of it.
    package static func ggufNames(_ conventions: Conventions) -> GGUFNames? {
        dialect(of: conventions.architecture)?.names(conventions)
    }

    /// What writes a model as a GGUF file. What its own GGUF file says of it, if it comes from one,
    /// the new one says, too.
    ///
    /// - Parameters:
    ///   - type: of all tensors but norms, biases and tables of positions; nil leaves each in the
    ///     type that it is stored in, or F32 where it is stored in blocks.
    ///   - tokenizer: what is said of the tokenizer of a folder, given how many tokens the model
    ///     has and which end a text.
    package static func ggufWriter(
        _ source: any TensorSource, model: Model, type: BlockType?,
        tokenizer: (Int, [Int32]) throws(GraftError) -> GGUFMetadata
    ) throws(GraftError) -> GGUFWriter {
        let conventions = model.conventions
        guard let dialect = dialect(of: conventions.architecture), let addKeys = dialect.keys else {
            let written = all.filter { $0.ggufDialect?.keys != nil }.map { $0.conventions.architecture }
            throw GraftError(
                .unsupported,
                "\(source.path): no GGUF files of \(conventions.architecture) models are written; expected one of "
                    + written.joined(separator: ", "))
        }
        let names = dialect.names(conventions, ofWritten: true)
        var keys = GGUFKeys(architecture: names.architecture, path: source.path)
        try addKeys(&keys, source)
        var tensors = try dialect.tensors(source, names, keys, type)
        let table = tensors.first { $0.name == GGUFDialect.table }
        let size = table?.shape.first ?? 0
        let ofType: GGUFMetadata.Value = .unsigned32(GGUFWriter.fileType(table?.type ?? .float32))
        var metadata = GGUFMetadata()
        if let file = source.gguf {
            if let count = file.header.count(of: "tokenizer.ggml.tokens"), count != size {
                throw GraftError(
                    .unsupported,
                    "\(file.path): it has \(count) tokens, and with the adapter the model has \(size): no tokenizer "
                        + "is there for both")
            }
            try metadata.add(file, except: ["general.file_type", "general.alignment"])
            metadata.add("general.file_type", ofType)
            if let stored = file.header.entry(RotaryFactors.tensor) {
                tensors.append(
                    GGUFWriter.Tensor(stored.name, type: stored.type, shape: stored.shape) {
                        () throws(GraftError) in
                        try TensorRows(
                            file.file, range: stored.range, type: stored.type.kernelType ?? 0, name: stored.name,
                            path: file.path)
                    })
            }
        } else {
            metadata.add("general.architecture", .string(names.architecture))
            metadata.add("general.type", .string("model"))
            let name = source.path.split(separator: "/").last
            metadata.add("general.name", .string(name.map(String.init) ?? ""))
            metadata.add("general.file_type", ofType)
            metadata.add("general.quantization_version", .unsigned32(2))
            metadata.add(keys.metadata)
            metadata.add(try tokenizer(size, model.endTokens))
            if !keys.rotaryFactors.isEmpty { tensors.append(try rotaryTensor(keys.rotaryFactors, source.path)) }
        }
        return GGUFWriter(metadata, tensors)
    }

    private static func rotaryTensor(_ factors: [Float], _ path: String) throws(GraftError) -> GGUFWriter.Tensor {
        let memory = try Memory(byteCount: 4 * factors.count)
        for (index, factor) in factors.enumerated() { memory.floats()[index] = factor }
        return GGUFWriter.Tensor(RotaryFactors.tensor, type: .float32, shape: [factors.count]) {
            () throws(GraftError) in
            let file = MappedFile(memory, byteCount: 4 * factors.count, path: path)
            return try TensorRows(
                file, range: 0..<4 * factors.count, type: gk_type(GK_FLOAT32), name: RotaryFactors.tensor, path: path)
        }
    }
}

extension GGUFDialect {
    fileprivate static let table = "token_embd.weight"
    /// Tensors of a file that are F32 whatever the others are.
    private static let plain: Set<String> = ["position_embd.weight", "token_types.weight"]

    fileprivate func tensors(
        _ source: any TensorSource, _ names: GGUFNames, _ keys: GGUFKeys, _ type: BlockType?
    ) throws(GraftError) -> [GGUFWriter.Tensor] {
        let entries = source.tensorNames.compactMap(source.entry).filter { !isLeftOut($0.name) }
        var placed: [(entries: [TensorEntry], name: String, form: GGUFSource.Form)] = []
        var places: [ExactString: Int] = [:]
        for entry in entries {
            guard let (name, form) = names.stored(entry.name) else {
                throw GraftError(
                    .unsupported,
                    "\(source.path(of: entry)): the tensor \(JSON.string(entry.name).shortText) has no place in a GGUF "
                        + "file of a \(names.architecture) model")
            }
            if let place = places[ExactString(name)] {
                placed[place].entries.append(entry)
                continue
            }
            places[ExactString(name)] = placed.count
            placed.append(
                ([entry], name, form.of(headCount: keys.headCounts.queries, keyHeadCount: keys.headCounts.keys)))
        }
        // A table that is the output, too, is there once, under the name of the embedding.
        if let output = placed.firstIndex(where: { $0.name == "output.weight" }),
            try source.config.optionalBool("tie_word_embeddings") ?? true
        {
            if let words = placed.first(where: { $0.name == Self.table }) {
                let isOne = try source.holdsTheSame(words.entries[0].name, as: placed[output].entries[0].name)
                if isOne { placed.remove(at: output) }
            } else {
                placed[output].name = Self.table
            }
        }
        return try placed.map { (entries, name, form) throws(GraftError) in
            let parts = inOrder(entries, names)
            let entry = parts[0]
            guard parts.allSatisfy({ $0.shape.dropFirst().elementsEqual(entry.shape.dropFirst()) }) else {
                throw GraftError(
                    .incompatible,
                    "\(source.path(of: entry)): the tensors of \(JSON.string(name).shortText) have rows of different "
                        + "widths: \(parts.map(\.shape))")
            }
            let height = parts.reduce(0) { $0 + ($1.shape.first ?? 1) }
            let shape = parts.count == 1 ? entry.shape : [height] + entry.shape.dropFirst()
            return GGUFWriter.Tensor(name, type: self.type(of: entry, name, form, type), shape: shape, form: form) {
                () throws(GraftError) in
                try parts.count == 1 ? source.rows(entry) : Self.joined(parts, source)
            }
        }
    }

    /// Tensors that a file has in one, in the order of the modules.
    private func inOrder(_ entries: [TensorEntry], _ names: GGUFNames) -> [TensorEntry] {
        entries.count == 1
            ? entries : entries.sorted { names.place($0.name) ?? .max < names.place($1.name) ?? .max }
    }

    /// The rows of tensors one after the other, as float32.
    private static func joined(
        _ entries: [TensorEntry], _ source: any TensorSource
    ) throws(GraftError) -> TensorRows {
        let counts = entries.map { $0.shape.reduce(1, *) }
        let byteCount = 4 * counts.reduce(0, +)
        let memory = try Memory(byteCount: byteCount)
        var place = 0
        for (entry, count) in zip(entries, counts) {
            let rows = try source.rows(entry)
            rows.copy(count: count, into: memory.floats(from: place))
            rows.release()
            place += count
        }
        return try TensorRows(
            MappedFile(memory, byteCount: byteCount, path: source.path), range: 0..<byteCount,
            type: gk_type(GK_FLOAT32),
            name: entries[0].name, path: source.path)
    }

    private func isLeftOut(_ tensor: String) -> Bool {
        let parts = tensor.split(separator: ".")
        return leavesOut.contains { own in
            let own = own.split(separator: ".")
            return parts.indices.contains { parts[$0...].starts(with: own) }
        }
    }

    private func type(
        of entry: TensorEntry, _ name: String, _ form: GGUFSource.Form, _ asked: BlockType?
    ) -> BlockType {
        if entry.shape.count < 2 || Self.plain.contains(name) { return .float32 }
        let stored: BlockType =
            switch entry.elementType {
            case .float16: .float16
            case .bfloat16: .bfloat16
            default: .float32
            }
        let type = asked ?? stored
        // As llama.cpp's converter does where a row is no whole number of blocks.
        let width = form == .transposed ? entry.shape[0] : entry.shape[entry.shape.count - 1]
        return width % type.blockElements == 0 ? type : .float16
    }
}
