import GraftTensor

/// A stage that divides text into the words that the model looks up; some rewrite it too.
protocol PreTokenizer: Sendable {
    func divide(_ text: inout WorkingText) throws(GraftError)
}
