// Pages that need nothing but the switch of languages.

import "./texts.js";
