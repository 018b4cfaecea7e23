/// The classes of transformers that put a dense head on an architecture, as their names end.
package enum HeadClass: String, CaseIterable, Sendable {
    /// Numbers of each row.
    case rows = "ForSequenceClassification"
    /// One of each row, which is a choice among those of its group.
    case choices = "ForMultipleChoice"
    /// Of each token.
    case tokens = "ForTokenClassification"
    /// Two of each token: how well an answer begins and ends there.
    case answers = "ForQuestionAnswering"

    /// Those of models with an encoder and a decoder, which reads the rows, too.
    package static let ofDecoders: [HeadClass] = [.rows, .answers]

    /// What its numbers are of.
    package var unit: ColumnKind.Unit { self == .rows || self == .choices ? .rows : .tokens }

    /// What its outputs are called, where config.json does not say it.
    package var outputNames: [String]? {
        switch self {
        case .rows, .tokens: nil
        case .choices: choiceOutputs
        case .answers: answerOutputs
        }
    }
}

/// The one output of a head of choices.
package let choiceOutputs = ["score"]

/// The two outputs of a head of answers, in their order.
package let answerOutputs = ["start", "end"]
