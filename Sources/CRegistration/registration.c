// The header holds everything; SwiftPM wants a source file.
#include "CRegistration.h"
