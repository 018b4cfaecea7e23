import GraftTensor

/// The numbers that describe a base model.
package struct ModelShape: Sendable {
    package let layerCount: Int
    package let hiddenSize: Int
    package let vocabularySize: Int
    package let typeCount: Int
    package let maximumLength: Int
    /// Width of the keys, and of the values, of one token in one layer; 0 where tokens see later ones, so that there is
    /// nothing to keep between tokens.
    package let keyWidth: Int

    package init(
        layerCount: Int, hiddenSize: Int, vocabularySize: Int, typeCount: Int, maximumLength: Int, keyWidth: Int = 0
    ) {
        self.layerCount = layerCount
        self.hiddenSize = hiddenSize
        self.vocabularySize = vocabularySize
        self.typeCount = typeCount
        self.maximumLength = maximumLength
        self.keyWidth = keyWidth
    }

    /// Depths of sites: 0 embeddings, 1 … layerCount the layers, then what pools, then the head.
    package var poolerDepth: Int { layerCount + 1 }
    package var headDepth: Int { layerCount + 2 }
}

/// A frozen base model: immutable, shared by any number of passes.
///
/// This is all that adapters, trainers and sessions know of an architecture.
package protocol Transformer: AnyObject, Sendable {
    /// `model_type` of config.json.
    var architecture: String { get }
    var shape: ModelShape { get }
    /// Where adapters may act. An adapter's actions are indexed like this array.
    var sites: [Site] { get }
    /// The sites that have a row, or an output, for each token of the vocabulary.
    var vocabulary: VocabularySites { get }
    /// The name of the encoder or decoder inside the task classes, as in "bert.encoder…".
    var backbone: String { get }
    /// The head's module name in the architecture's sequence classification class.
    var headPath: String { get }
    /// Whether that head has a bias.
    var headHasBias: Bool { get }
    /// The site of a classification head that the checkpoint itself has, with its labels; nil where it has none.
    var baseHead: (linear: Linear, labels: [String])? { get }
    /// `problem_type` of config.json: what transformers and PEFT train a classification head of this model for.
    var problem: ProblemType? { get }
    /// Modules that must be an adapter's own before rows can be classified, because the checkpoint lacks them.
    var missingForClassification: [String] { get }
    /// Logits over the vocabulary, W h, from the last hidden states of chosen tokens; nil where the model is not one of
    /// language.
    var languageHead: Linear? { get }
    /// Tokens that end a text.
    var endTokens: [Int32] { get }
    /// Dropout before the head.
    var headDropout: Float { get }
    /// Standard deviation of fresh head weights.
    var initializerRange: Float { get }
    /// What was loaded: folder, number of parameters, and the packed weights for checksums.
    var source: ModelSource { get }

    /// Hidden states of the last layer, of the tokens read. Keeps what backward needs of layers from `pass.keptDepth` on.
    func forward(_ pass: Pass) throws(GraftError) -> HiddenStates
    /// Backward from d(those), which is overwritten, down to `pass.keptDepth`.
    func backward(_ gradient: Matrix, _ hidden: HiddenStates, pass: Pass) throws(GraftError)
    /// Which of a row's tokens stands for it in classification.
    var summaryToken: SummaryToken { get }
    /// What the model makes of their hidden states [rows, hidden] for its own heads: [rows, hidden].
    func pool(_ summaries: Matrix, pass: Pass) throws(GraftError) -> Representation
    /// d(summaries) from d(representation), which is overwritten.
    func poolBackward(
        _ gradient: Matrix, _ representation: Representation, into dSummaries: Matrix?, pass: Pass
    ) throws(GraftError)
}

/// A model without a pooler. An encoder has no language to model.
extension Transformer {
    package func pool(_ summaries: Matrix, pass: Pass) -> Representation {
        Representation(matrix: summaries, kept: nil)
    }

    package func poolBackward(
        _ gradient: Matrix, _ representation: Representation, into dSummaries: Matrix?, pass: Pass
    ) {
        dSummaries?.base.update(from: gradient.base, count: gradient.count)
    }

    package var headHasBias: Bool { true }
    package var languageHead: Linear? { nil }
    package var endTokens: [Int32] { [] }
}

/// What a classification head's logits mean, and with that its loss: transformers' `problem_type`.
package enum ProblemType: String, Sendable, CaseIterable {
    case singleLabel = "single_label_classification"
    case multiLabel = "multi_label_classification"
    case regression
}

/// Places of a model's vocabulary among its sites.
package struct VocabularySites: Sendable {
    /// The table of the embeddings.
    package let words: Int
    /// The matrix of the logits; nil where the model is not one of language.
    package let head: Int?
    /// Whether both have the same numbers in the checkpoint.
    package let areTied: Bool

    package init(words: Int, head: Int? = nil, areTied: Bool = false) {
        self.words = words
        self.head = head
        self.areTied = areTied
    }

    /// The matrix of the logits where it is the table of the embeddings.
    package var tiedHead: Int? { areTied ? head : nil }
}

extension Transformer {
    /// Tokens that a row with this adapter may have: as many as the table has rows.
    package func vocabularySize(_ adapter: AttachedAdapter?) -> Int {
        rowCount(adapter, at: vocabulary.words) ?? shape.vocabularySize
    }

    /// Tokens among which the language head chooses with this adapter.
    package func outputSize(_ adapter: AttachedAdapter?) -> Int {
        vocabulary.head.flatMap { rowCount(adapter, at: $0) } ?? shape.vocabularySize
    }

    private func rowCount(_ adapter: AttachedAdapter?, at site: Int) -> Int? {
        adapter?.at(site)?.weight.map { $0.count / shape.hiddenSize }
    }
}

package struct HiddenStates: BitwiseCopyable {
    package let matrix: Matrix
    /// The architecture's own record for backward, in the pass's kept arena.
    package let kept: UnsafeMutableRawPointer?

    package init(matrix: Matrix, kept: UnsafeMutableRawPointer?) {
        self.matrix = matrix
        self.kept = kept
    }
}

package struct Representation: BitwiseCopyable {
    package let matrix: Matrix
    package let kept: UnsafeMutableRawPointer?

    package init(matrix: Matrix, kept: UnsafeMutableRawPointer?) {
        self.matrix = matrix
        self.kept = kept
    }
}

/// Where a model came from and what it holds.
package struct ModelSource: @unchecked Sendable {
    package let path: String
    package let parameterCount: Int
    package let precision: Precision
    /// All frozen numbers, each part with what keeps it in memory.
    package typealias Weights = [(bytes: UnsafeRawBufferPointer, owner: AnyObject)]
    package let weights: Weights
    package let sentences: SentenceDeclaration

    /// Bytes of their own memory, and of the tables that are read from mapped files.
    package var memory: (own: Int, mapped: Int) {
        var memory = (own: 0, mapped: 0)
        for (bytes, owner) in weights {
            switch owner {
            case let weight as PackedWeight: memory.own += weight.residentByteCount
            case let numbers as Memory: memory.own += numbers.residentByteCount
            default: memory.mapped += bytes.count
            }
        }
        return memory
    }

    private let firstChecksum = Guarded<UInt64?>(nil)

    package init(
        path: String, parameterCount: Int, precision: Precision, weights: Weights, sentences: SentenceDeclaration
    ) {
        self.path = path
        self.parameterCount = parameterCount
        self.precision = precision
        self.weights = weights
        self.sentences = sentences
    }

    /// The checksum when it was first asked for: what tells these weights from others.
    package var identity: UInt64 {
        firstChecksum.withLock { known in
            let identity = known ?? checksum
            known = identity
            return identity
        }
    }

    /// A 64-bit hash of all packed weights, as they are now: 3 GB a second.
    package var checksum: UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for (part, owner) in weights {
            defer { withExtendedLifetime(owner) {} }
            let words = part.count / 8
            for index in 0..<words {
                let word = part.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)
                hash = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
                hash ^= hash >> 29
            }
            for index in words * 8..<part.count { hash = (hash ^ UInt64(part[index])) &* 0x100_0000_01b3 }
        }
        return hash
    }
}
