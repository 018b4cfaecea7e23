import GraftAdapters
import GraftFormats
import GraftLayers
import GraftMatrix
import GraftTensor
import GraftTestSupport
import Testing

@testable import GraftTraining

/// Every gradient of a training step against central differences of the loss.
@Suite struct GradientTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let settings: String
        var isBottleneck = false
        var changes: [String: JSON] = Goldens.withoutDropout
        var labelSmoothing: Float = 0
        var classWeights: [Float] = []
        var pooling: Pooling?
        var hasDenseLayer = false
    }

    static let cases = [
        Case(testDescription: "every product", settings: ", \"target_modules\": \"all-linear\""),
        Case(
            testDescription: "every product, with dropout", settings: ", \"target_modules\": \"all-linear\"",
            changes: ["hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.3, "classifier_dropout": 0.25]),
        Case(
            testDescription: "PiSSA, with dropout",
            settings: ", \"target_modules\": \"all-linear\", \"init_lora_weights\": \"pissa\"",
            changes: ["hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.1]),
        Case(
            testDescription: "biases",
            settings: ", \"target_modules\": \"all-linear\", \"bias\": \"all\", \"lora_bias\": true"),
        Case(
            testDescription: "biases of the targets",
            settings: ", \"target_modules\": [\"key\"], \"bias\": \"lora_only\""),
        Case(
            testDescription: "embeddings",
            settings: ", \"target_modules\": [\"word_embeddings\", \"position_embeddings\", \"token_type_embeddings\"]"),
        Case(
            testDescription: "embeddings, with dropout", settings: ", \"target_modules\": [\"word_embeddings\"]",
            changes: ["hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.1]),
        Case(
            testDescription: "modules of its own",
            settings: ", \"modules_to_save\": [\"pooler\", \"attention.output\", \"key\", \"word_embeddings\"]"),
        Case(testDescription: "norms of its own", settings: ", \"modules_to_save\": [\"LayerNorm\"]"),
        Case(
            testDescription: "feed-forward of its own",
            settings: ", \"modules_to_save\": [\"intermediate\", \"1.output\"]"),
        Case(
            testDescription: "gelu_new", settings: ", \"target_modules\": \"all-linear\"",
            changes: Goldens.withoutDropout.merging(["hidden_act": "gelu_new"]) { $1 }),
        Case(
            testDescription: "silu", settings: ", \"target_modules\": \"all-linear\"",
            changes: Goldens.withoutDropout.merging(["hidden_act": "silu"]) { $1 }),
        Case(
            testDescription: "label smoothing and class weights", settings: ", \"use_rslora\": true",
            labelSmoothing: 0.1,
            classWeights: [0.5, 1, 3]),
        Case(
            testDescription: "the mean of the tokens", settings: ", \"target_modules\": \"all-linear\"", pooling: .mean),
        Case(
            testDescription: "the mean of the tokens, through a dense layer, with dropout",
            settings: ", \"target_modules\": [\"word_embeddings\"]",
            changes: ["hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.3, "classifier_dropout": 0.25],
            pooling: .mean, hasDenseLayer: true),
        Case(
            testDescription: "the last token", settings: ", \"target_modules\": [\"dense\"]", pooling: .last,
            hasDenseLayer: true),
        Case(
            testDescription: "a head alone", settings: ", \"target_modules\": \"dummy-target-modules\"",
            pooling: .mean, hasDenseLayer: true),
        bottleneck("the mean of the tokens", "\"config\": \"houlsby\"", pooling: .mean),
        bottleneck("houlsby", "\"config\": \"houlsby\""),
        bottleneck("pfeiffer", "\"config\": \"pfeiffer\", \"mh_adapter\": true, \"non_linearity\": \"tanh\""),
        bottleneck("parallel", "\"config\": \"parallel\", \"mh_adapter\": true, \"non_linearity\": \"silu\""),
        bottleneck(
            "pfeiffer, its residual after the norm",
            "\"mh_adapter\": true, \"non_linearity\": \"gelu\", \"residual_before_ln\": false"),
        bottleneck(
            "pfeiffer, its residual the sum",
            "\"mh_adapter\": true, \"non_linearity\": \"gelu_new\", \"residual_before_ln\": \"post_add\""),
        bottleneck(
            "houlsby, with dropout", "\"config\": \"houlsby\"",
            ["hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.1]),
        bottleneck(
            "parallel, with dropout", "\"config\": \"parallel\", \"non_linearity\": \"tanh\"",
            ["hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.1]),
    ]

    private static func bottleneck(
        _ name: String, _ settings: String, _ changes: [String: JSON] = Goldens.withoutDropout, pooling: Pooling? = nil
    ) -> Case {
        Case(
            testDescription: name, settings: ", " + settings, isBottleneck: true, changes: changes, pooling: pooling)
    }

    @Test("Gradients are the central differences of the loss", arguments: cases)
    func centralDifferences(golden: Case) throws {
        let fixture = try TrainingFixture(rows: 6, changing: golden.changes)
        let hasDropout = golden.testDescription.contains("dropout")
        let dropout = hasDropout ? 0.2 : 0
        let adapter =
            golden.isBottleneck
            ? try fixture.bottleneck(dropout: dropout, settings: golden.settings, pooling: golden.pooling)
            : try fixture.adapter(
                dropout: dropout, settings: golden.settings, pooling: golden.pooling,
                hasDenseLayer: golden.hasDenseLayer)
        let options = TrainingFixture.options {
            $0.labelSmoothing = golden.labelSmoothing
            $0.classWeights = golden.classWeights
            $0.threadCount = 2
        }
        let trainer = try Trainer(adapter: adapter, options: options)
        let batch = fixture.dataset

        var checked = 0
        for numbers in try CentralDifferences(trainer, adapter: adapter, batch, steps: [0.01], others: 3).checked {
            var scale: Float = 0
            for number in numbers {
                scale = max(scale, abs(number.gradient))
                #expect(
                    abs(Double(number.gradient) - number.differences[0]) < 1e-4 + 2e-3 * Double(scale), "\(number)")
                checked += abs(number.differences[0]) > 1e-3 ? 1 : 0
            }
        }
        #expect(checked >= trainer.content.plan.tensors.count / 2, "too few gradients are large enough to tell")
    }

    @Test("bfloat16 gradients point where float32 ones do")
    func bfloat16() throws {
        func gradients(_ precision: Precision) throws -> [Float] {
            let fixture = try TrainingFixture(rows: 32, precision: precision, changing: Goldens.withoutDropout)
            let adapter = try fixture.adapter(dropout: 0, settings: ", \"target_modules\": \"all-linear\"")
            let trainer = try Trainer(adapter: adapter, options: TrainingFixture.options())
            _ = try trainer.accumulate(fixture.dataset)
            return trainer.gradients
        }
        let (exact, rounded) = (try gradients(.float32), try gradients(.bfloat16))
        func product(_ left: [Float], _ right: [Float]) -> Double {
            zip(left, right).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        let cosine = product(exact, rounded) / (product(exact, exact) * product(rounded, rounded)).squareRoot()
        #expect(bits(exact) != bits(rounded))
        #expect(cosine > 0.995, "cosine \(cosine)")
    }
}
