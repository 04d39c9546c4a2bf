"""Contains all the data models used in inputs/outputs"""

from .caller_kind import CallerKind
from .circumstances import Circumstances
from .code_state import CodeState
from .consent_given import ConsentGiven
from .counts import Counts
from .device_answer import DeviceAnswer
from .erasure import Erasure
from .erasure_begun import ErasureBegun
from .erasure_state import ErasureState
from .export_me_response_200 import ExportMeResponse200
from .get_token_body import GetTokenBody
from .handover_answer import HandoverAnswer
from .handover_notice import HandoverNotice
from .handover_request import HandoverRequest
from .links import Links
from .me import Me
from .menu_answer import MenuAnswer
from .menu_flavour import MenuFlavour
from .menu_flavour_names import MenuFlavourNames
from .model_used import ModelUsed
from .notice_answer import NoticeAnswer
from .o_auth_error import OAuthError
from .o_auth_error_error import OAuthErrorError
from .offer import Offer
from .outcome_kept import OutcomeKept
from .outcome_request import OutcomeRequest
from .pending_answer import PendingAnswer
from .pending_answer_state import PendingAnswerState
from .picture_used import PictureUsed
from .problem import Problem
from .problem_errors_item import ProblemErrorsItem
from .problem_type import ProblemType
from .purpose import Purpose
from .recommendation_answer import RecommendationAnswer
from .recommendation_answer_source import RecommendationAnswerSource
from .recommendation_page import RecommendationPage
from .revoke_token_body import RevokeTokenBody
from .sold_line import SoldLine
from .token_answer import TokenAnswer
from .upload import Upload
from .upload_problem import UploadProblem
from .upload_request import UploadRequest
from .upload_state import UploadState
from .upload_ticket import UploadTicket
from .upload_ticket_headers import UploadTicketHeaders

__all__ = (
    "CallerKind",
    "Circumstances",
    "CodeState",
    "ConsentGiven",
    "Counts",
    "DeviceAnswer",
    "Erasure",
    "ErasureBegun",
    "ErasureState",
    "ExportMeResponse200",
    "GetTokenBody",
    "HandoverAnswer",
    "HandoverNotice",
    "HandoverRequest",
    "Links",
    "Me",
    "MenuAnswer",
    "MenuFlavour",
    "MenuFlavourNames",
    "ModelUsed",
    "NoticeAnswer",
    "OAuthError",
    "OAuthErrorError",
    "Offer",
    "OutcomeKept",
    "OutcomeRequest",
    "PendingAnswer",
    "PendingAnswerState",
    "PictureUsed",
    "Problem",
    "ProblemErrorsItem",
    "ProblemType",
    "Purpose",
    "RecommendationAnswer",
    "RecommendationAnswerSource",
    "RecommendationPage",
    "RevokeTokenBody",
    "SoldLine",
    "TokenAnswer",
    "Upload",
    "UploadProblem",
    "UploadRequest",
    "UploadState",
    "UploadTicket",
    "UploadTicketHeaders",
)
