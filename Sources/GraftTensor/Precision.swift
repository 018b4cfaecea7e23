import CGraftKernels

/// How frozen weights are held and multiplied; sums are always float32.
package enum Precision: Int32, Sendable, CaseIterable {
    case float32 = 0
    case bfloat16 = 1

    package var kernelType: gk_type { self == .float32 ? gk_type(GK_FLOAT32) : gk_type(GK_BFLOAT16) }

    /// The nearest number that a weight can be.
    package func rounded(_ number: Float) -> Float {
        guard self == .bfloat16 else { return number }
        let bits = number.bitPattern
        return Float(bitPattern: (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
    }

    /// Whether numbers stored in `type` stay what they are.
    package func holds(_ type: gk_type) -> Bool { self == .float32 || type == kernelType }
}

/// The activation functions of feed-forward layers, under Hugging Face's names.
package enum Activation: Sendable {
    case identity, gelu, geluTanh, relu, silu, tanh

    /// `hidden_act` of config.json.
    package init?(name: String) {
        guard let known = Self.known.first(where: { $0.name == name }) else { return nil }
        self = known.activation
    }

    private static let known: [(name: String, activation: Activation)] = [
        ("gelu", .gelu), ("gelu_new", .geluTanh), ("gelu_pytorch_tanh", .geluTanh), ("gelu_fast", .geluTanh),
        ("relu", .relu), ("silu", .silu), ("swish", .silu), ("tanh", .tanh), ("linear", .identity),
    ]

    /// All names, for messages.
    package static var names: [String] { known.map(\.name) }

    package var kernel: gk_activation {
        switch self {
        case .identity: gk_activation(GK_IDENTITY)
        case .gelu: gk_activation(GK_GELU)
        case .geluTanh: gk_activation(GK_GELU_TANH)
        case .relu: gk_activation(GK_RELU)
        case .silu: gk_activation(GK_SILU)
        case .tanh: gk_activation(GK_TANH)
        }
    }
}
