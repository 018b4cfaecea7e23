/// The classes of transformers that put a dense head on an architecture, as their names end.
package enum HeadClass: String, CaseIterable, Sendable {
    /// Numbers of each row.
    case rows = "ForSequenceClassification"
    /// Of each token.
    case tokens = "ForTokenClassification"
    /// Two of each token: how well an answer begins and ends there.
    case answers = "ForQuestionAnswering"
}

/// The two outputs of a head of answers, in their order.
package let answerOutputs = ["start", "end"]
