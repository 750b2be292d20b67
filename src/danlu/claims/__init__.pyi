from danlu.claims.catalogue import CLAIMS as CLAIMS
from danlu.claims.catalogue import ClaimEntry as ClaimEntry
from danlu.claims.check import check as check
from danlu.claims.result import ClaimResult as ClaimResult
