import CGraftKernels

extension ElementType {
    /// The kernels' name of a type they can read; nil for the others.
    package var kernelType: gk_type? {
        switch self {
        case .float32: gk_type(GK_FLOAT32)
        case .bfloat16: gk_type(GK_BFLOAT16)
        case .float16: gk_type(GK_FLOAT16)
        case .float64: gk_type(GK_FLOAT64)
        default: nil
        }
    }
}
