/// What a classification head's logits mean, and with that its loss: transformers' `problem_type`.
package enum ProblemType: String, Sendable, CaseIterable {
    case singleLabel = "single_label_classification"
    case multiLabel = "multi_label_classification"
    case regression
}
