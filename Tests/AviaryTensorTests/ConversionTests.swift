import AviaryTensor
import Testing
