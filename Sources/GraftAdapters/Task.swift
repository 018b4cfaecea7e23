import GraftLayers
import GraftTensor

/// What an adapter's outputs are for: their head, what they mean, what they learn from and are
/// measured by, and what files call it. A new task that computes as these do is a value below and
/// its name in `Tasks.all`.
package struct Task: Sendable {
    package enum Head: Sendable, Equatable {
        /// Numbers of each row or token, from its last hidden state.
        case dense(ColumnKind.Unit, Outputs)
        /// The model's own logits over the vocabulary.
        case vocabulary
        /// Those of tokens that are masked, from the model's own head for them.
        case maskedVocabulary
        /// The vector that the model makes of a row.
        case embedding
    }

    /// What the numbers of a dense head mean, and with that their loss.
    package enum Outputs: Sendable {
        /// Logits of labels, of which one is right: softmax and cross-entropy.
        case oneLabel
        /// Logits of labels, each of which is right or not: sigmoid and binary cross-entropy.
        case labels
        /// Values: mean squared error, or of scores of candidates a loss of their order.
        case values
        /// The score of a choice: softmax over the rows of a group and cross-entropy.
        case choice
        /// Two logits of each token, that the row's answer starts and that it ends there: softmax
        /// over the row's tokens and cross-entropy of each.
        case span
    }

    /// As in `graft_adapter_set_head`.
    package let name: String
    /// PEFT's `task_type`; nil where it has none, and files have null.
    let peftName: String?
    /// Which of the tasks of one `task_type` it is by transformers' `problem_type`; nil where there
    /// is one alone.
    let problem: ProblemType?
    /// AdapterHub's `head_type`; nil where its heads are not of this kind.
    let hubName: String?
    package let head: Head
    /// What it learns from.
    package let column: ColumnKind
    /// Outputs that a head has at least.
    package let leastLabelCount: Int

    /// What its outputs are called, where they are always the same.
    package var outputNames: [String]? { headClass?.outputNames }

    /// What files call it that need a name.
    var fileName: String { peftName ?? name }

    /// The class of transformers that has such a head; nil for the vocabulary.
    package var headClass: HeadClass? {
        guard case .dense(let unit, let outputs) = head else { return nil }
        switch outputs {
        case .span: return .answers
        case .choice: return .choices
        default: return unit == .rows ? .rows : .tokens
        }
    }

    /// Whether it has a head of the adapter's own.
    package var hasOwnHead: Bool { outputs != nil }

    /// Whether PEFT's class for it holds the backbone under a name of its own, as those with heads
    /// do.
    var hasBackbonePrefix: Bool { head != .embedding }

    /// What each of the head's outputs belongs to; nil where it has none of its own.
    package var unit: ColumnKind.Unit? {
        guard case .dense(let unit, _) = head else { return nil }
        return unit
    }

    /// nil where it has none of its own.
    package var outputs: Outputs? {
        guard case .dense(_, let outputs) = head else { return nil }
        return outputs
    }
}

extension Task: Equatable, CustomStringConvertible {
    package static func == (left: Task, right: Task) -> Bool { left.name == right.name }

    package var description: String { name }
}

extension Task {
    package static let sequenceClassification = Task(
        name: "sequence_classification", peftName: "SEQ_CLS", problem: .singleLabel, hubName: "classification",
        head: .dense(.rows, .oneLabel), column: .labels, leastLabelCount: 2)
    package static let regression = Task(
        name: "regression", peftName: "SEQ_CLS", problem: .regression, hubName: "classification",
        head: .dense(.rows, .values), column: .targets, leastLabelCount: 1)
    package static let multiLabelClassification = Task(
        name: "multi_label_classification", peftName: "SEQ_CLS", problem: .multiLabel,
        hubName: "multilabel_classification", head: .dense(.rows, .labels), column: .targets, leastLabelCount: 1)
    package static let multipleChoice = Task(
        name: "multiple_choice", peftName: "SEQ_CLS", problem: nil, hubName: "multiple_choice",
        head: .dense(.rows, .choice), column: .labels, leastLabelCount: 1)
    package static let tokenClassification = Task(
        name: "token_classification", peftName: "TOKEN_CLS", problem: nil, hubName: "tagging",
        head: .dense(.tokens, .oneLabel), column: .tokenLabels, leastLabelCount: 2)
    package static let questionAnswering = Task(
        name: "question_answering", peftName: "QUESTION_ANS", problem: nil, hubName: "question_answering",
        head: .dense(.tokens, .span), column: .answerSpans, leastLabelCount: 2)
    package static let languageModel = Task(
        name: "language_model", peftName: "CAUSAL_LM", problem: nil, hubName: nil, head: .vocabulary,
        column: .tokenLabels, leastLabelCount: 0)
    package static let sequenceToSequence = Task(
        name: "seq_2_seq_lm", peftName: "SEQ_2_SEQ_LM", problem: nil, hubName: nil, head: .vocabulary,
        column: .tokenLabels, leastLabelCount: 0)
    package static let maskedLanguageModel = Task(
        name: "masked_language_model", peftName: nil, problem: nil, hubName: nil, head: .maskedVocabulary,
        column: .tokenLabels, leastLabelCount: 0)
    package static let sentenceEmbedding = Task(
        name: "sentence_embedding", peftName: "FEATURE_EXTRACTION", problem: nil, hubName: nil, head: .embedding,
        column: .groupPlaces, leastLabelCount: 0)
}

package enum Tasks {
    /// Where files do not tell tasks apart, an adapter is for the first whose head may have so many
    /// labels.
    package static let all: [Task] = [
        .sequenceClassification, .regression, .multiLabelClassification, .multipleChoice, .tokenClassification,
        .questionAnswering, .languageModel, .sequenceToSequence, .maskedLanguageModel, .sentenceEmbedding,
    ]

    package static var names: [String] { all.map(\.name) }

    package static func named(_ name: String) throws(GraftError) -> Task {
        guard let task = all.first(where: { $0.name == name }) else {
            throw GraftError(.notFound, "task \"\(name)\"; this build has \(names.joined(separator: ", "))")
        }
        return task
    }

    /// The only, or else the likeliest, task of some that files do not tell apart: what
    /// `problem_type` says, or without it what the number of labels does, as in transformers.
    static func likeliest(of tasks: [Task], _ problem: ProblemType?, labelCount: Int) -> Task? {
        let named = problem.flatMap { problem in tasks.first { $0.problem == problem } }
        return named ?? tasks.first { labelCount >= $0.leastLabelCount }
    }
}

extension Model {
    /// What the checkpoint's own head is for; nil where it has none.
    package var ownTask: Task? {
        baseHead.flatMap { head in
            Tasks.likeliest(
                of: Tasks.all.filter { $0.headClass == head.kind }, head.kind == .rows ? problem : nil,
                labelCount: head.labels.count)
        }
    }

    /// Checks that the model has what a task reads.
    package func requireOutputs(of task: Task?) throws(GraftError) {
        if let task, decoderTokens == nil, task == .sequenceToSequence {
            throw GraftError(
                .unsupported,
                "task \(task): the \(architecture) model at \(source.path) has no encoder whose rows a decoder could answer"
            )
        }
        if let task, let decoderTokens, task != .sequenceToSequence,
            !(task.headClass.map(HeadClass.ofDecoders.contains) ?? false) || decoderTokens.end == nil
        {
            throw GraftError(
                .unsupported,
                "task \(task): the \(architecture) model at \(source.path) is for the task \(Task.sequenceToSequence)"
                    + (decoderTokens.end == nil ? "" : ", and for heads of rows and of answers")
                    + (conventions.encoderClass.map { "; its encoder alone, a \($0), is for others" } ?? ""))
        }
        switch task?.head {
        case .vocabulary: _ = try LanguageModelHead(model: self)
        case .maskedVocabulary: _ = try LanguageModelHead(masked: self)
        case .embedding: _ = try source.sentences.embedding.get()
        case .dense, nil: break
        }
    }

    /// PEFT and transformers train a head of this model by config.json's problem_type: one that is
    /// for another task would learn there from another loss.
    func requireProblem(of task: Task) throws(GraftError) {
        guard let problem, let own = task.problem, own != problem else { return }
        throw GraftError(
            .incompatible,
            "\(source.path)/config.json: problem_type is \(problem.rawValue), by which PEFT and transformers train its heads; "
                + "expected \(own.rawValue), or none, for the task \(task.name)")
    }
}
